"""Certificates, public keys and credentials of single services as the models' output shapes; never a secret."""

from datetime import datetime

from identities.models import ServerCertificate, ServiceSpecificCredential, SigningCertificate, SSHPublicKey
from identities.services.service_credentials import SERVICES


def server_certificate(row: ServerCertificate) -> dict[str, object]:
    return {
        "Path": row.path,
        "ServerCertificateName": row.name,
        "ServerCertificateId": row.unique_id,
        "Arn": row.arn,
        "UploadDate": row.uploaded_at,
        "Expiration": row.expires_at,
    }


def signing_certificate(row: SigningCertificate) -> dict[str, object]:
    return {
        "UserName": row.user.name if row.user else "root",
        "CertificateId": row.certificate_id,
        "CertificateBody": row.body,
        "Status": row.status,
        "UploadDate": row.uploaded_at,
    }


def ssh_public_key_metadata(row: SSHPublicKey) -> dict[str, object]:
    """A key as lists show it: without the key itself."""
    return {
        "UserName": row.user.name,
        "SSHPublicKeyId": row.key_id,
        "Status": row.status,
        "UploadDate": row.uploaded_at,
    }


def ssh_public_key(row: SSHPublicKey, body: str) -> dict[str, object]:
    """`body` is the key in the form that was asked for."""
    return {**ssh_public_key_metadata(row), "Fingerprint": row.fingerprint, "SSHPublicKeyBody": body}


def service_credential(row: ServiceSpecificCredential, now: datetime) -> dict[str, object]:
    """Who has a password is called by a user name, who has an API key by an alias."""
    named = "ServiceCredentialAlias" if SERVICES[row.service].api_key_prefix else "ServiceUserName"
    return {
        "UserName": row.user.name,
        "Status": row.status_at(now),
        named: row.alias,
        "CreateDate": row.created_at,
        "ExpirationDate": row.expires_at,
        "ServiceSpecificCredentialId": row.credential_id,
        "ServiceName": row.service,
    }
