from django.urls import path

from access.views import my_access_keys, my_credentials, my_mfa_devices, my_password, my_signing_certificates, rotate

urlpatterns = [
    path("me/", my_credentials.my_credentials, name="my-credentials"),
    path("me/password/", my_password.my_password, name="my-password"),
    path("me/access-keys/", my_access_keys.my_access_keys, name="my-access-keys"),
    path("me/access-keys/create/", my_access_keys.create_my_access_key, name="create-my-access-key"),
    path("me/access-keys/rotate/", rotate.rotate_my_access_key, name="rotate-my-access-key"),
    path("me/access-key/<str:access_key_id>/update/", my_access_keys.update_my_access_key, name="update-my-access-key"),
    path("me/access-key/<str:access_key_id>/delete/", my_access_keys.delete_my_access_key, name="delete-my-access-key"),
    path("me/mfa-devices/", my_mfa_devices.my_mfa_devices, name="my-mfa-devices"),
    path("me/mfa-devices/create/", my_mfa_devices.create_my_mfa_device, name="create-my-mfa-device"),
    path("me/mfa-device/<path:device_name>/enable/", my_mfa_devices.enable_my_mfa_device, name="enable-my-mfa-device"),
    path("me/mfa-device/<path:device_name>/resync/", my_mfa_devices.resync_my_mfa_device, name="resync-my-mfa-device"),
    path("me/mfa-device/<path:device_name>/remove/", my_mfa_devices.delete_my_mfa_device, name="delete-my-mfa-device"),
    path("me/signing-certificates/", my_signing_certificates.my_signing_certificates, name="my-signing-certificates"),
    path(
        "me/signing-certificates/upload/",
        my_signing_certificates.upload_my_signing_certificate,
        name="upload-my-signing-certificate",
    ),
    path(
        "me/signing-certificate/<str:certificate_id>/update/",
        my_signing_certificates.update_my_signing_certificate,
        name="update-my-signing-certificate",
    ),
    path(
        "me/signing-certificate/<str:certificate_id>/delete/",
        my_signing_certificates.delete_my_signing_certificate,
        name="delete-my-signing-certificate",
    ),
]
