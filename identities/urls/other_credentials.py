from django.urls import path

from identities.views import service_credentials, signing_certificates, ssh_public_keys

_OF_USER = "user/<str:user_name>/credentials/"
_KEY = f"{_OF_USER}ssh-public-key/<str:ssh_public_key_id>/"
_CERTIFICATE = f"{_OF_USER}signing-certificate/<str:certificate_id>/"
_SERVICES = f"{_OF_USER}services/"
_SERVICE = f"{_OF_USER}service/<str:credential_id>/"

urlpatterns = [
    path(f"{_OF_USER}ssh-public-keys/", ssh_public_keys.list_ssh_public_keys, name="list-ssh-public-keys"),
    path(f"{_OF_USER}ssh-public-keys/upload/", ssh_public_keys.upload_ssh_public_key, name="upload-ssh-public-key"),
    path(f"{_KEY}update/", ssh_public_keys.update_ssh_public_key, name="update-ssh-public-key"),
    path(f"{_KEY}delete/", ssh_public_keys.delete_ssh_public_key, name="delete-ssh-public-key"),
    path(
        f"{_OF_USER}signing-certificates/",
        signing_certificates.list_signing_certificates,
        name="list-signing-certificates",
    ),
    path(
        f"{_OF_USER}signing-certificates/upload/",
        signing_certificates.upload_signing_certificate,
        name="upload-signing-certificate",
    ),
    path(f"{_CERTIFICATE}update/", signing_certificates.update_signing_certificate, name="update-signing-certificate"),
    path(f"{_CERTIFICATE}delete/", signing_certificates.delete_signing_certificate, name="delete-signing-certificate"),
    path(
        _SERVICES,
        service_credentials.list_service_specific_credentials,
        name="list-service-specific-credentials",
    ),
    path(
        f"{_SERVICES}create/",
        service_credentials.create_service_specific_credential,
        name="create-service-specific-credential",
    ),
    path(
        f"{_SERVICE}reset/",
        service_credentials.reset_service_specific_credential,
        name="reset-service-specific-credential",
    ),
    path(
        f"{_SERVICE}update/",
        service_credentials.update_service_specific_credential,
        name="update-service-specific-credential",
    ),
    path(
        f"{_SERVICE}delete/",
        service_credentials.delete_service_specific_credential,
        name="delete-service-specific-credential",
    ),
]
