"""The pages for SSH public keys, signing certificates and credentials of single services."""

import re
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Account
from audit.models import Event
from identities.credential_files import service_credential_csv
from identities.models import ServiceSpecificCredential, User
from identities.services.service_credentials import create_service_specific_credential
from identities.services.signing_certificates import upload_signing_certificate
from identities.services.ssh_public_keys import upload_ssh_public_key
from tests.cast import allow, browser_of, principal_of, root_of
from tests.identities.certificates import issue, ssh_key

GIT, LOGS = "codecommit.amazonaws.com", "logs.amazonaws.com"
SERVICE = "iam:ServiceSpecificCredentialServiceName"


def page(name: str, user: User | None, *words: str) -> str:
    return reverse(f"identities:{name}", args=[user.name, *words]) if user else reverse(f"access:{name}", args=words)


def text_of(reply: Any) -> str:
    return " ".join(reply.content.decode().split())


def seen_in(reply: Any) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', reply.content.decode())
    assert found is not None
    return found[1]


def test_an_ssh_key_lives_from_upload_to_deletion(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    upload = browser.post(page("upload-ssh-public-key", bob), {"body": f"{ssh_key()} bob@laptop"}, follow=True)
    key = bob.ssh_public_keys.get()
    assert "bob@laptop" in text_of(upload) and "SHA256:" in text_of(upload) and key.fingerprint in text_of(upload)
    browser.post(page("update-ssh-public-key", bob, key.pk), {"status": "Inactive"})
    assert bob.ssh_public_keys.get().status == "Inactive"
    assert "Delete the key" in text_of(browser.get(page("delete-ssh-public-key", bob, key.pk)))
    browser.post(page("delete-ssh-public-key", bob, key.pk))
    assert not bob.ssh_public_keys.exists()
    actions = Event.objects.order_by("id").values_list("action", flat=True)
    assert [action for action in actions if "SSH" in action] == [
        "iam:UploadSSHPublicKey",
        "iam:UpdateSSHPublicKey",
        "iam:DeleteSSHPublicKey",
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("ssh-rsa AAAA", "read: a part of it is missing"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL", "must be ssh-rsa"),
        ("", "This field is required"),
    ],
)
def test_what_is_no_key_is_said_at_the_field_and_stays_there(alice: User, body: str, problem: str) -> None:
    text = text_of(browser_of(alice).post(page("upload-ssh-public-key", alice), {"body": body}))
    assert problem in text and body in text and not alice.ssh_public_keys.exists()


def test_a_private_key_is_refused_and_not_shown_again(alice: User) -> None:
    upload = page("upload-ssh-public-key", alice)
    text = text_of(browser_of(alice).post(upload, {"body": issue("x").private_key}))
    assert "This is a private key" in text and "BEGIN EC" not in text


def test_the_sixth_key_is_refused_with_the_reason(alice: User) -> None:
    for number in range(5):
        upload_ssh_public_key(by=principal_of(alice), user=alice, body=ssh_key(number))
    browser = browser_of(alice)
    assert "Delete one to upload another" in text_of(browser.get(page("list-ssh-public-keys", alice)))
    reply = browser.post(page("upload-ssh-public-key", alice), {"body": ssh_key(5)})
    assert "Cannot exceed quota for SSHPublicKeysPerUser: 5" in text_of(reply)


def test_fingerprints_take_the_permission_to_read_keys(alice: User, bob: User) -> None:
    key = upload_ssh_public_key(by=principal_of(alice), user=alice, body=ssh_key())
    allow(bob, "iam:ListSSHPublicKeys")
    text = text_of(browser_of(bob).get(page("list-ssh-public-keys", alice)))
    assert key.pk in text and key.fingerprint not in text and "ssh-rsa" not in text


@pytest.mark.parametrize("whose", ["bob", "alice", "root"])
def test_a_certificate_lives_from_upload_to_deletion(whose: str, alice: User, bob: User, acme: Account) -> None:
    """An administrator's work on another's, one's own, and root's."""
    user = bob if whose == "bob" else None
    mine = "" if user else "my-"
    browser = browser_of(acme if whose == "root" else alice)
    upload = browser.post(page(f"upload-{mine}signing-certificate", user), {"body": issue("Signer").body}, follow=True)
    assert "CN=Signer" in text_of(upload)
    owners = {"bob": bob, "alice": alice, "root": None}
    row = acme.signing_certificates.get(user=owners[whose])
    browser.post(page(f"update-{mine}signing-certificate", user, row.pk), {"status": "Inactive"})
    assert acme.signing_certificates.get().status == "Inactive"
    browser.post(page(f"delete-{mine}signing-certificate", user, row.pk))
    assert not acme.signing_certificates.exists()


def test_a_certificate_that_has_ended_is_refused_at_the_field(alice: User) -> None:
    ended = issue("Old", first_day=-9, last_day=-1).body
    reply = browser_of(alice).post(page("upload-my-signing-certificate", None), {"body": ended})
    assert "The certificate expired on" in text_of(reply) and "BEGIN CERTIFICATE" in text_of(reply)


def test_a_service_credential_is_shown_once_and_replaced(alice: User, bob: User) -> None:
    browser, create = browser_of(alice), page("create-service-specific-credential", bob)
    form = {"service": GIT, "seen": seen_in(browser.get(create))}
    made = browser.post(create, form)
    row, secret = bob.service_specific_credentials.get(), made.context["secret"]
    assert secret in made.content.decode().replace("&#x2B;", "+") and made.headers["Cache-Control"] == "no-store"
    assert "codecommit_credentials.csv" in text_of(made)
    again = browser.post(create, form)
    assert "have changed since this page was opened" in text_of(again)
    assert bob.service_specific_credentials.count() == 1

    reset = page("reset-service-specific-credential", bob, row.pk)
    form = {"seen": seen_in(browser.get(reset))}
    anew = browser.post(reset, form).context["secret"]
    assert anew != secret and secret not in text_of(browser.get(page("list-service-specific-credentials", bob)))
    hashed = bob.service_specific_credentials.get().secret_hash
    assert "was replaced since this page was opened" in text_of(browser.post(reset, form))
    assert bob.service_specific_credentials.get().secret_hash == hashed


def test_a_service_credential_is_switched_off_and_deleted(alice: User, bob: User) -> None:
    row, _ = create_service_specific_credential(by=principal_of(alice), user=bob, service=LOGS, age_days=3)
    browser = browser_of(alice)
    assert "Expires" in text_of(browser.get(page("list-service-specific-credentials", bob)))
    browser.post(page("update-service-specific-credential", bob, row.pk), {"status": "Inactive"})
    assert bob.service_specific_credentials.get().status == "Inactive"
    browser.post(page("delete-service-specific-credential", bob, row.pk))
    assert not bob.service_specific_credentials.exists()


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({}, "Choose the service"),
        ({"service": "s3.amazonaws.com"}, "Select a valid choice"),
        ({"service": GIT, "age_days": "30"}, "Passwords of this service don"),
        ({"service": LOGS, "age_days": "40000"}, "less than or equal to 36600"),
    ],
)
def test_a_wrong_form_makes_no_credential(alice: User, form: dict[str, str], problem: str) -> None:
    reply = browser_of(alice).post(page("create-service-specific-credential", alice), form)
    assert problem in text_of(reply) and not ServiceSpecificCredential.objects.exists()


def test_the_third_credential_of_a_service_is_refused(alice: User) -> None:
    for _ in range(2):
        create_service_specific_credential(by=principal_of(alice), user=alice, service=GIT)
    browser, create = browser_of(alice), page("create-service-specific-credential", alice)
    reply = browser.post(create, {"service": GIT, "seen": seen_in(browser.get(create))})
    assert reply.status_code == 409 and "alice has 2 for AWS CodeCommit (Git) already" in text_of(reply)


def test_a_permission_for_one_service_offers_that_service(alice: User, bob: User) -> None:
    actions = ["iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential"]
    allow(bob, actions, Condition={"StringEquals": {SERVICE: LOGS}})
    browser, create = browser_of(bob), page("create-service-specific-credential", alice)
    opened = browser.get(create)
    assert "CloudWatch Logs" in text_of(opened) and "CodeCommit" not in text_of(opened)
    assert browser.post(create, {"service": LOGS, "seen": seen_in(opened)}).context["secret"]
    mine = alice.service_specific_credentials.get()
    other, _ = create_service_specific_credential(by=principal_of(alice), user=alice, service=GIT)
    assert browser.get(page("reset-service-specific-credential", alice, mine.pk)).status_code == 200
    assert browser.get(page("reset-service-specific-credential", alice, other.pk)).status_code == 403


def test_a_permission_for_some_days_counts_the_days(alice: User, bob: User) -> None:
    longer = {"NumericGreaterThan": {"iam:ServiceSpecificCredentialAgeDays": "30"}}
    allow(bob, "iam:CreateServiceSpecificCredential")
    allow(bob, "iam:CreateServiceSpecificCredential", name="not-longer", Effect="Deny", Condition=longer)
    browser, create = browser_of(bob), page("create-service-specific-credential", alice)
    assert browser.post(create, {"service": LOGS, "age_days": "31"}).status_code == 403
    assert browser.post(create, {"service": LOGS, "age_days": "30"}).context["secret"]


@pytest.mark.parametrize("name", ["update-service-specific-credential", "delete-service-specific-credential"])
def test_the_service_of_a_credential_decides_what_may_be_done_with_it(alice: User, bob: User, name: str) -> None:
    rows = {
        service: create_service_specific_credential(by=principal_of(alice), user=alice, service=service)[0]
        for service in (GIT, LOGS)
    }
    allow(bob, "iam:*")
    allow(bob, "iam:*", name="not-git", Effect="Deny", Condition={"StringEquals": {SERVICE: GIT}})
    browser = browser_of(bob)
    said = [browser.post(page(name, alice, row.pk), {"status": "Inactive"}).status_code for row in rows.values()]
    assert said == [403, 302]
    assert browser.post(page("delete-user", alice), {"confirmation": "alice"}).status_code == 403
    assert alice.service_specific_credentials.filter(service=GIT, status="Active").exists()


def test_nobody_elses_is_found_below_a_user(alice: User, bob: User, acme: Account) -> None:
    by = principal_of(alice)
    key = upload_ssh_public_key(by=by, user=alice, body=ssh_key())
    own = upload_signing_certificate(by=by, user=alice, body=issue("a").body)
    roots = upload_signing_certificate(by=root_of(acme), user=None, body=issue("r").body)
    row, _ = create_service_specific_credential(by=by, user=alice, service=GIT)
    browser = browser_of(alice)
    for address in (
        page("delete-ssh-public-key", bob, key.pk),
        page("delete-signing-certificate", bob, own.pk),
        page("delete-my-signing-certificate", None, roots.pk),
        page("delete-service-specific-credential", bob, row.pk),
        page("reset-service-specific-credential", bob, row.pk),
    ):
        assert browser.post(address).status_code == 404
    assert alice.ssh_public_keys.exists() and acme.signing_certificates.count() == 2


def test_the_pages_of_credentials_tell_what_there_is_to_whom_it_may_concern(alice: User, bob: User) -> None:
    upload_ssh_public_key(by=principal_of(alice), user=bob, body=ssh_key())
    allow(bob, ["iam:ListSSHPublicKeys"], bob.arn)
    own = text_of(browser_of(bob).get(reverse("access:my-credentials")))
    assert "1 active" in own and own.count("Not shown: you are not allowed to see them") == 2
    assert "1 active" in text_of(browser_of(alice).get(page("list-access-keys", bob)))


@pytest.mark.parametrize("kind", ["ssh-public-keys", "signing-certificates", "service-specific-credentials"])
def test_ones_own_page_hangs_below_ones_own_credentials(alice: User, bob: User, kind: str) -> None:
    mine = f'<a href="{reverse("access:my-credentials")}">My security credentials</a>'
    browser = browser_of(alice)
    assert mine in text_of(browser.get(page(f"list-{kind}", alice)))
    others = text_of(browser.get(page(f"list-{kind}", bob)))
    assert mine not in others and f'<a href="{reverse("identities:get-user", args=["bob"])}">bob</a>' in others


def test_root_sees_certificates_and_nothing_that_only_users_have(acme: Account) -> None:
    text = text_of(browser_of(acme).get(reverse("access:my-credentials")))
    assert "Signing certificates" in text and "SSH public keys" not in text


def test_a_name_that_is_a_formula_is_harmless_in_the_file(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(name="=cmd")
    alice.refresh_from_db()
    row, secret = create_service_specific_credential(by=principal_of(alice), user=alice, service=GIT)
    assert service_credential_csv(row, secret).splitlines()[1].startswith("'=cmd-at-")
