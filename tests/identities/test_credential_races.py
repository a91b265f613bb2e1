"""Twenty threads at one quota or one name: as many get through as there is room for, the others hear AWS's error."""

import pytest

from accounts.models import Account
from audit.errors import EntityAlreadyExists, LimitExceeded
from identities.models import (
    MFADevice,
    ServerCertificate,
    ServiceSpecificCredential,
    SigningCertificate,
    SSHPublicKey,
    User,
)
from identities.services.mfa import create_virtual_mfa_device
from identities.services.server_certificates import upload_server_certificate
from identities.services.service_credentials import create_service_specific_credential
from identities.services.signing_certificates import DuplicateCertificate, upload_signing_certificate
from identities.services.ssh_public_keys import DuplicateSSHPublicKey, upload_ssh_public_key
from tests.api.test_user_credentials import ssh_line
from tests.cast import principal_of
from tests.identities.certificates import issue
from tests.rig.races import THREADS, race

pytestmark = pytest.mark.django_db(transaction=True)


def test_service_specific_credentials_stop_at_two(alice: User) -> None:
    def create(number: int) -> None:
        create_service_specific_credential(by=principal_of(alice), user=alice, service="codecommit.amazonaws.com")

    assert race(create, LimitExceeded) == THREADS - 2
    aliases = ServiceSpecificCredential.objects.values_list("alias", flat=True)
    assert sorted(aliases) == ["alice+1-at-111122223333", "alice-at-111122223333"]


def test_signing_certificates_stop_at_two(alice: User) -> None:
    bodies = [issue(f"alice {number}").body for number in range(THREADS)]

    def upload(number: int) -> None:
        upload_signing_certificate(by=principal_of(alice), user=alice, body=bodies[number])

    assert race(upload, LimitExceeded) == THREADS - 2
    assert SigningCertificate.objects.count() == 2


def test_one_signing_certificate_is_taken_once(alice: User) -> None:
    body = issue("alice").body

    def upload(number: int) -> None:
        upload_signing_certificate(by=principal_of(alice), user=alice, body=body)

    assert race(upload, DuplicateCertificate) == THREADS - 1


def test_one_ssh_key_is_taken_once(alice: User) -> None:
    line = ssh_line()

    def upload(number: int) -> None:
        upload_ssh_public_key(by=principal_of(alice), user=alice, body=line)

    assert race(upload, DuplicateSSHPublicKey) == THREADS - 1
    assert SSHPublicKey.objects.count() == 1


def test_one_name_of_a_server_certificate_is_taken_once(alice: User) -> None:
    site = issue("www.example.com")

    def upload(number: int) -> None:
        name = "www" if number % 2 else "WWW"
        upload_server_certificate(by=principal_of(alice), name=name, body=site.body, private_key=site.private_key)

    assert race(upload, EntityAlreadyExists) == THREADS - 1


def test_server_certificates_stop_at_the_quota(alice: User) -> None:
    Account.objects.update(quota_overrides={"server_certificates": 3})
    site = issue("www.example.com")

    def upload(number: int) -> None:
        by = principal_of(alice)
        upload_server_certificate(by=by, name=f"www-{number}", body=site.body, private_key=site.private_key)

    assert race(upload, LimitExceeded) == THREADS - 3
    assert ServerCertificate.objects.count() == 3


def test_one_name_of_a_device_is_taken_once(alice: User) -> None:
    def create(number: int) -> None:
        create_virtual_mfa_device(by=principal_of(alice), user=None, name="phone")

    assert race(create, EntityAlreadyExists) == THREADS - 1
    assert MFADevice.objects.count() == 1
