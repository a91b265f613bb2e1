"""Signing certificates, SSH public keys and credentials of single services by program."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from accounts.models import Account
from audit import clock
from audit.models import Event
from identities.models import ServiceSpecificCredential, User
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow
from tests.identities.certificates import issue, rsa_key

GIT = "codecommit.amazonaws.com"
BEDROCK = "bedrock.amazonaws.com"


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code


def ssh_line(bits: int = 2048, number: int = 0) -> str:
    key = rsa_key(bits, number).public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " bob@laptop"


# Signing certificates


def test_a_signing_certificate_comes_is_turned_off_and_goes(program: Program, bob: User) -> None:
    body = issue("bob").body
    made = program.iam("UploadSigningCertificate", UserName="bob", CertificateBody=body)["Certificate"]
    assert (made["UserName"], made["Status"], made["CertificateBody"]) == ("bob", "Active", body.strip())
    assert program.iam("ListSigningCertificates", UserName="bob")["Certificates"] == [made]
    named = {"UserName": "bob", "CertificateId": made["CertificateId"]}
    program.iam("UpdateSigningCertificate", Status="Inactive", **named)
    assert program.iam("ListSigningCertificates", UserName="bob")["Certificates"][0]["Status"] == "Inactive"
    assert refusal(program, "UpdateSigningCertificate", Status="Expired", **named) == (400, "InvalidInput")
    other = {"UserName": "alice", "CertificateId": made["CertificateId"]}
    assert refusal(program, "DeleteSigningCertificate", **other) == (404, "NoSuchEntity")
    program.iam("DeleteSigningCertificate", **named)
    assert refusal(program, "DeleteSigningCertificate", **named) == (404, "NoSuchEntity")


def test_a_certificate_is_once_in_an_account(program: Program, bob: User, mallory: User, program_of: ProgramOf) -> None:
    body = issue("shared").body
    program.iam("UploadSigningCertificate", UserName="bob", CertificateBody=body)
    again = refusal(program, "UploadSigningCertificate", UserName="alice", CertificateBody=body)
    assert again == (409, "DuplicateCertificate")
    program_of(mallory).iam("UploadSigningCertificate", CertificateBody=body)


def test_the_third_certificate_is_refused(program: Program, bob: User) -> None:
    for number in range(2):
        program.iam("UploadSigningCertificate", UserName="bob", CertificateBody=issue(f"bob {number}").body)
    third = {"UserName": "bob", "CertificateBody": issue("bob 3").body}
    assert refusal(program, "UploadSigningCertificate", **third) == (409, "LimitExceeded")


def test_what_is_no_certificate_and_what_does_not_count_are_told_apart(program: Program) -> None:
    assert refusal(program, "UploadSigningCertificate", CertificateBody="no") == (400, "MalformedCertificate")
    past = issue("past", first_day=-9, last_day=-1).body
    assert refusal(program, "UploadSigningCertificate", CertificateBody=past) == (400, "InvalidCertificate")


def test_root_has_certificates_of_its_own(acme: Account, program_of: ProgramOf) -> None:
    roots = program_of(acme)
    made = roots.iam("UploadSigningCertificate", CertificateBody=issue("root").body)["Certificate"]
    assert roots.iam("ListSigningCertificates")["Certificates"] == [made]
    assert roots.iam("GetAccountSummary")["SummaryMap"]["AccountSigningCertificatesPresent"] == 1


# SSH public keys


def test_an_ssh_key_is_told_in_both_forms(program: Program, bob: User) -> None:
    made = program.iam("UploadSSHPublicKey", UserName="bob", SSHPublicKeyBody=f"{ssh_line()}\n")["SSHPublicKey"]
    blob = base64.b64decode(ssh_line().split()[1])
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    assert made["Fingerprint"].replace(":", "") == digest and made["Fingerprint"].count(":") == 15
    assert (made["SSHPublicKeyId"][:4], made["Status"]) == ("APKA", "Active")
    named = {"UserName": "bob", "SSHPublicKeyId": made["SSHPublicKeyId"]}
    assert program.iam("GetSSHPublicKey", Encoding="SSH", **named)["SSHPublicKey"] == made
    pem = program.iam("GetSSHPublicKey", Encoding="PEM", **named)["SSHPublicKey"]["SSHPublicKeyBody"]
    assert pem.startswith("-----BEGIN PUBLIC KEY-----")
    program.iam("DeleteSSHPublicKey", **named)
    again = program.iam("UploadSSHPublicKey", UserName="bob", SSHPublicKeyBody=pem)["SSHPublicKey"]
    assert again["Fingerprint"] == made["Fingerprint"]
    named = {"UserName": "bob", "SSHPublicKeyId": again["SSHPublicKeyId"]}
    line = program.iam("GetSSHPublicKey", Encoding="SSH", **named)["SSHPublicKey"]["SSHPublicKeyBody"]
    assert line == ssh_line().removesuffix(" bob@laptop")
    assert refusal(program, "GetSSHPublicKey", Encoding="DER", **named) == (400, "ValidationError")


def test_an_ssh_key_is_once_with_a_user(program: Program, alice: User, bob: User) -> None:
    program.iam("UploadSSHPublicKey", UserName="bob", SSHPublicKeyBody=ssh_line())
    pem = rsa_key(2048, 0).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for form in (ssh_line(), pem):
        again = refusal(program, "UploadSSHPublicKey", UserName="bob", SSHPublicKeyBody=form)
        assert again == (400, "DuplicateSSHPublicKey")
    program.iam("UploadSSHPublicKey", UserName="alice", SSHPublicKeyBody=ssh_line())


def test_ssh_keys_of_other_kinds_are_refused(program: Program, bob: User) -> None:
    modern = ed25519.Ed25519PrivateKey.generate().public_key()
    line = modern.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    pem = modern.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    expected = {
        line: "UnrecognizedPublicKeyEncoding",
        pem: "InvalidPublicKey",
        ssh_line(1024): "InvalidPublicKey",
        "ssh-rsa not-base64!": "InvalidPublicKey",
        "words": "UnrecognizedPublicKeyEncoding",
    }
    found = {body: refusal(program, "UploadSSHPublicKey", UserName="bob", SSHPublicKeyBody=body) for body in expected}
    assert found == {body: (400, code) for body, code in expected.items()}


def test_ssh_keys_are_listed_turned_off_and_limited(program: Program, bob: User, acme: Account) -> None:
    acme.quota_overrides = {"ssh_public_keys": 1}
    acme.save()
    made = program.iam("UploadSSHPublicKey", UserName="bob", SSHPublicKeyBody=ssh_line())["SSHPublicKey"]
    named = {"UserName": "bob", "SSHPublicKeyId": made["SSHPublicKeyId"]}
    program.iam("UpdateSSHPublicKey", Status="Inactive", **named)
    listed = program.iam("ListSSHPublicKeys", UserName="bob")["SSHPublicKeys"]
    assert [(row["SSHPublicKeyId"], row["Status"]) for row in listed] == [(made["SSHPublicKeyId"], "Inactive")]
    more = {"UserName": "bob", "SSHPublicKeyBody": ssh_line(2048, 1)}
    assert refusal(program, "UploadSSHPublicKey", **more) == (409, "LimitExceeded")


# Credentials of single services


def create(program: Program, service: str = GIT, **more: object) -> dict[str, Any]:
    made = program.iam("CreateServiceSpecificCredential", UserName="bob", ServiceName=service, **more)
    found: dict[str, Any] = made["ServiceSpecificCredential"]
    return found


def test_a_password_is_told_once(program: Program, bob: User) -> None:
    made = create(program)
    secret = made.pop("ServicePassword")
    assert len(base64.b64decode(secret)) == 32
    assert made["ServiceUserName"] == "bob-at-111122223333" and made["ServiceSpecificCredentialId"].startswith("ACCA")
    listed = program.iam("ListServiceSpecificCredentials", UserName="bob")["ServiceSpecificCredentials"]
    assert listed == [made]
    assert secret not in str(list(Event.objects.values_list())) + str(ServiceSpecificCredential.objects.values_list())


def test_two_for_each_service_and_never_a_third(program: Program, bob: User) -> None:
    names = [create(program)["ServiceUserName"] for _ in range(2)]
    assert names == ["bob-at-111122223333", "bob+1-at-111122223333"]
    third = {"UserName": "bob", "ServiceName": GIT}
    assert refusal(program, "CreateServiceSpecificCredential", **third) == (409, "LimitExceeded")
    create(program, "cassandra.amazonaws.com")


def test_a_reset_replaces_the_password(program: Program, bob: User) -> None:
    made = create(program)
    before = ServiceSpecificCredential.objects.get().secret_hash
    named = {"UserName": "bob", "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    again = program.iam("ResetServiceSpecificCredential", **named)["ServiceSpecificCredential"]
    assert again["ServicePassword"] != made["ServicePassword"]
    assert ServiceSpecificCredential.objects.get().secret_hash != before
    assert again["ServiceUserName"] == made["ServiceUserName"]


def test_an_api_key_expires(program: Program, bob: User) -> None:
    made = create(program, BEDROCK, CredentialAgeDays=30)
    assert made["ServiceCredentialSecret"].startswith("ABSK")
    assert made["ExpirationDate"] - made["CreateDate"] == timedelta(days=30)
    with time_machine.travel(clock.now() + timedelta(days=31)):
        listed = program.iam("ListServiceSpecificCredentials", UserName="bob")["ServiceSpecificCredentials"]
    assert [(row["Status"], row["ServiceCredentialAlias"]) for row in listed] == [("Expired", "bob-at-111122223333")]


def test_passwords_do_not_expire(program: Program, bob: User) -> None:
    asked = {"UserName": "bob", "ServiceName": GIT, "CredentialAgeDays": 3}
    assert refusal(program, "CreateServiceSpecificCredential", **asked) == (400, "ValidationError")


def test_other_services_are_refused(program: Program, bob: User) -> None:
    asked = {"UserName": "bob", "ServiceName": "s3.amazonaws.com"}
    assert refusal(program, "CreateServiceSpecificCredential", **asked) == (404, "NotSupportedService")
    assert refusal(program, "ListServiceSpecificCredentials", **asked) == (404, "NotSupportedService")


def test_a_credential_is_turned_off_and_deleted(program: Program, bob: User) -> None:
    named = {
        "UserName": "bob",
        "ServiceSpecificCredentialId": create(program)["ServiceSpecificCredentialId"],
    }
    program.iam("UpdateServiceSpecificCredential", Status="Inactive", **named)
    assert ServiceSpecificCredential.objects.get().status == "Inactive"
    program.iam("DeleteServiceSpecificCredential", **named)
    assert refusal(program, "ResetServiceSpecificCredential", **named) == (404, "NoSuchEntity")


def test_those_of_all_users_are_listed_by_who_may_see_all(program: Program, program_of: ProgramOf, bob: User) -> None:
    create(program)
    everybody = program.iam("ListServiceSpecificCredentials", AllUsers=True, ServiceName=GIT)
    assert [row["UserName"] for row in everybody["ServiceSpecificCredentials"]] == ["bob"]
    allow(bob, "iam:ListServiceSpecificCredentials", bob.arn)
    his = program_of(bob)
    his.iam("ListServiceSpecificCredentials")
    assert refusal(his, "ListServiceSpecificCredentials", AllUsers=True) == (403, "AccessDenied")


def test_service_and_age_decide(program_of: ProgramOf, bob: User) -> None:
    condition = {
        "StringEquals": {"iam:ServiceSpecificCredentialServiceName": BEDROCK},
        "NumericLessThanEquals": {"iam:ServiceSpecificCredentialAgeDays": "30"},
    }
    allow(bob, "iam:CreateServiceSpecificCredential", Condition=condition)
    his = program_of(bob)
    create(his, BEDROCK, CredentialAgeDays=30)
    for asked in ({"ServiceName": BEDROCK, "CredentialAgeDays": 31}, {"ServiceName": BEDROCK}, {"ServiceName": GIT}):
        refused = refusal(his, "CreateServiceSpecificCredential", UserName="bob", **asked)
        assert refused == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("operation", "more"),
    [("UpdateServiceSpecificCredential", {"Status": "Active"}), ("DeleteServiceSpecificCredential", {})],
)
def test_the_service_of_one_that_is_there_decides_too(
    program: Program, program_of: ProgramOf, bob: User, operation: str, more: dict[str, str]
) -> None:
    allow(bob, f"iam:{operation}")
    other = {"StringEquals": {"iam:ServiceSpecificCredentialServiceName": GIT}}
    allow(bob, f"iam:{operation}", name="not-git", Effect="Deny", Condition=other)
    his, made = program_of(bob), {service: create(program, service) for service in (GIT, BEDROCK)}
    named = {
        service: {"ServiceSpecificCredentialId": row["ServiceSpecificCredentialId"]} for service, row in made.items()
    }
    assert refusal(his, operation, **named[GIT], **more) == (403, "AccessDenied")
    his.iam(operation, **named[BEDROCK], **more)


# Deleting their user


def test_a_user_with_credentials_is_not_deleted(program: Program, bob: User) -> None:
    program.iam("DeleteLoginProfile", UserName="bob")
    certificate = program.iam("UploadSigningCertificate", UserName="bob", CertificateBody=issue("bob").body)
    key = program.iam("UploadSSHPublicKey", UserName="bob", SSHPublicKeyBody=ssh_line())["SSHPublicKey"]
    credential = create(program)
    removals = {
        "DeleteSigningCertificate": {"CertificateId": certificate["Certificate"]["CertificateId"]},
        "DeleteSSHPublicKey": {"SSHPublicKeyId": key["SSHPublicKeyId"]},
        "DeleteServiceSpecificCredential": {"ServiceSpecificCredentialId": credential["ServiceSpecificCredentialId"]},
    }
    for operation, inputs in removals.items():
        assert refusal(program, "DeleteUser", UserName="bob") == (409, "DeleteConflict")
        program.iam(operation, UserName="bob", **inputs)
    program.iam("DeleteUser", UserName="bob")
