from django.urls import path

from identities.views import access_keys, login_profile, mfa_device_tags, mfa_devices

urlpatterns = [
    path("user/<str:user_name>/credentials/", access_keys.list_access_keys, name="list-access-keys"),
    path(
        "user/<str:user_name>/credentials/access-keys/create/",
        access_keys.create_access_key,
        name="create-access-key",
    ),
    path(
        "user/<str:user_name>/credentials/access-key/<str:access_key_id>/update/",
        access_keys.update_access_key,
        name="update-access-key",
    ),
    path(
        "user/<str:user_name>/credentials/access-key/<str:access_key_id>/delete/",
        access_keys.delete_access_key,
        name="delete-access-key",
    ),
    path(
        "user/<str:user_name>/credentials/password/create/",
        login_profile.create_login_profile,
        name="create-login-profile",
    ),
    path(
        "user/<str:user_name>/credentials/password/update/",
        login_profile.update_login_profile,
        name="update-login-profile",
    ),
    path(
        "user/<str:user_name>/credentials/password/delete/",
        login_profile.delete_login_profile,
        name="delete-login-profile",
    ),
    path(
        "user/<str:user_name>/credentials/mfa-device/<path:device_name>/remove/",
        mfa_devices.deactivate_mfa_device,
        name="deactivate-mfa-device",
    ),
    path("mfa-device/<path:device_name>/tags/", mfa_device_tags.list_mfa_device_tags, name="list-mfa-device-tags"),
    path("mfa-device/<path:device_name>/tags/set/", mfa_device_tags.tag_mfa_device, name="tag-mfa-device"),
    path("mfa-device/<path:device_name>/tags/remove/", mfa_device_tags.untag_mfa_device, name="untag-mfa-device"),
]
