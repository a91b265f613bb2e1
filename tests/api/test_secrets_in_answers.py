"""What was told once is told by no later call, whoever asks."""

from typing import Any

import pytest
from django.apps import apps

from accounts.models import Account
from federation.services.oidc_providers import create_oidc_provider
from federation.services.oidc_sign_in import set_sign_in
from federation.services.saml_providers import create_saml_provider
from identities.models import User
from identities.services.server_certificates import upload_server_certificate
from identities.services.service_credentials import create_service_specific_credential
from tests.api.conftest import SECRET, ProgramOf, key_of
from tests.cast import root_of
from tests.federation.companies import metadata, pem
from tests.identities.certificates import issue
from tests.identities.devices import device_of

SECRET_COLUMNS = ("_encrypted", "_hash", "password")


def with_secrets(acme: Account, bob: User) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Something of every kind that has a secret: the calls that read it, and the secrets themselves."""
    by = root_of(acme)
    key, (device, seed), served = key_of(bob), device_of(bob), issue("shop.example.com")
    of_service, password = create_service_specific_credential(by=by, user=bob, service="codecommit.amazonaws.com")
    certificate = upload_server_certificate(by=by, name="shop", body=served.body, private_key=served.private_key)
    saml = create_saml_provider(by=by, name="corp", metadata=metadata(), private_key=pem("ours"))
    oidc = create_oidc_provider(by=by, url="https://id.example.com", client_ids=["app"])
    set_sign_in(by=by, provider=oidc, client_id="app", secret="the-clients-secret")
    bobs = {"UserName": "bob"}
    calls: dict[str, dict[str, Any]] = {
        "GetUser": bobs,
        "GetLoginProfile": bobs,
        "ListAccessKeys": bobs,
        "GetAccessKeyLastUsed": {"AccessKeyId": key.access_key_id},
        "ListMFADevices": bobs,
        "GetMFADevice": {"SerialNumber": device.serial_number, **bobs},
        "ListVirtualMFADevices": {},
        "ListServiceSpecificCredentials": bobs,
        "GetServerCertificate": {"ServerCertificateName": certificate.name},
        "ListServerCertificates": {},
        "GetSAMLProvider": {"SAMLProviderArn": saml.arn},
        "GetOpenIDConnectProvider": {"OpenIDConnectProviderArn": oidc.arn},
        "GetAccountAuthorizationDetails": {},
        "GenerateCredentialReport": {},
        "GetCredentialReport": {},
    }
    lines = [line for text in (served.private_key, pem("ours")) for line in text.splitlines()[1:-1]]
    return calls, [SECRET, seed, password, "the-clients-secret", of_service.secret_hash, *lines]


def stored_secrets() -> list[str]:
    """What stands in the columns for secrets, in all tables."""
    columns = [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name.endswith(SECRET_COLUMNS)
    ]
    return [value for model, name in columns for value in model._default_manager.values_list(name, flat=True) if value]


@pytest.mark.bar(67)
def test_no_read_operation_gives_a_secret_out(program_of: ProgramOf, acme: Account, alice: User, bob: User) -> None:
    program = program_of(alice)
    calls, secrets = with_secrets(acme, bob)
    secrets += stored_secrets()
    assert len(stored_secrets()) >= 8
    for operation, inputs in calls.items():
        answer = program.post("iam", program.form("iam", operation, **inputs))
        told = answer.content.decode() + str(program.read("iam", operation, answer))
        assert not [secret for secret in secrets if secret in told], operation
