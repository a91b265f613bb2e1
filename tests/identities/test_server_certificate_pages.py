"""The pages of server certificates."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Account
from audit.models import Event
from identities.models import ServerCertificate, User
from identities.services.server_certificates import upload_server_certificate
from tests.cast import allow, browser_of, principal_of
from tests.identities.certificates import Issued, issue

LIST = reverse("identities:list-server-certificates")
UPLOAD = reverse("identities:upload-server-certificate")


def page(action: str, name: str = "shop") -> str:
    return reverse(f"identities:{action}-server-certificate", args=[name])


def text_of(reply: Any) -> str:
    return " ".join(reply.content.decode().split())


def form(served: Issued, **more: str) -> dict[str, str]:
    return {"name": "shop", "path": "/", "body": served.body, "private_key": served.private_key, **more}


def stored(alice: User, name: str = "shop", **more: Any) -> ServerCertificate:
    served = issue(f"{name}.example.com", **more)
    return upload_server_certificate(
        by=principal_of(alice), name=name, body=served.body, private_key=served.private_key
    )


def test_it_is_uploaded_with_its_chain_and_tags(alice: User) -> None:
    authority = issue("Authority")
    served, browser = issue("shop.example.com", by=authority), browser_of(alice)
    reply = browser.post(UPLOAD, form(served, chain=authority.body, tags="Team=Web", path="/cloud/"), follow=True)
    row = ServerCertificate.objects.get()
    assert (row.arn, row.tags.get().value) == ("arn:aws:iam::111122223333:server-certificate/cloud/shop", "Web")
    text = text_of(reply)
    assert "CN=shop.example.com" in text and "CN=Authority" in text and "ECDSA, secp256r1" in text
    assert "shop" in text_of(browser.get(LIST)) and served.private_key not in text


@pytest.mark.bar(74)
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"private_key": issue("other").private_key}, "The private key does not match the certificate."),
        ({"body": "nothing"}, "Unable to parse certificate"),
        ({"private_key": "nothing"}, "Invalid Private Key"),
        ({"chain": issue("stranger").body}, "Unable to validate certificate chain"),
        ({"name": "a b"}, "certificate name"),
        ({"name": ".."}, "more than dots"),
        ({"path": "cloud"}, "path"),
        ({"tags": "Team"}, "is not a tag"),
    ],
)
def test_a_mistake_is_said_and_all_but_the_private_key_stays(alice: User, change: dict[str, str], problem: str) -> None:
    served = issue("shop.example.com")
    reply = browser_of(alice).post(UPLOAD, form(served, **change))
    text = reply.content.decode()
    assert problem in str(reply.context["form"].errors[next(iter(change))]) and not ServerCertificate.objects.exists()
    assert "PRIVATE KEY-----\n" not in text and change.get("body", served.body.splitlines()[1]) in text


def test_a_name_that_is_taken_is_said_at_the_name(alice: User) -> None:
    stored(alice)
    assert "already exists" in text_of(browser_of(alice).post(UPLOAD, form(issue("x"), name="SHOP")))


def test_it_warns_of_the_end(alice: User) -> None:
    stored(alice, "soon", last_day=9)
    stored(alice, "later", last_day=90)
    ended = stored(alice, "ended")
    ServerCertificate.objects.filter(pk=ended.pk).update(expires_at="2020-01-01T00:00:00Z")
    browser = browser_of(alice)
    text = text_of(browser.get(LIST, {"sort": "ends"}))
    assert text.index(">ended<") < text.index(">soon<") < text.index(">later<")
    assert text.count("Ends in") == 1 and text.count(">Ended<") == 1
    assert "This certificate has ended" in text_of(browser.get(page("get", "ended")))
    assert "This certificate ends in" in text_of(browser.get(page("get", "soon")))


def test_it_searches_and_answers_htmx_with_the_rows(alice: User) -> None:
    stored(alice, "shop")
    stored(alice, "mail")
    reply = browser_of(alice).get(LIST, {"q": "SHO"}, headers={"HX-Request": "true"})
    assert "shop" in text_of(reply) and "mail" not in text_of(reply) and "<html" not in text_of(reply)


def test_it_is_renamed_and_a_stale_page_is_refused(alice: User) -> None:
    row, browser = stored(alice), browser_of(alice)
    changed = {"name": "store", "path": "/new/", "opened": row.arn}
    assert browser.post(page("update"), changed).status_code == 302
    stale = browser.post(page("update", "store"), {**changed, "name": "other"})
    assert "Somebody else changed it" in text_of(stale)
    assert ServerCertificate.objects.get().arn.endswith("/new/store")


def test_renaming_takes_the_permission_on_both_names(alice: User, bob: User) -> None:
    row = stored(alice)
    allow(bob, "iam:UpdateServerCertificate", row.arn)
    reply = browser_of(bob).post(page("update"), {"name": "other", "path": "/", "opened": row.arn})
    assert reply.status_code == 403 and ServerCertificate.objects.get().name == "shop"


def test_it_is_deleted_once_its_name_is_typed(alice: User) -> None:
    stored(alice)
    browser = browser_of(alice)
    browser.post(page("delete"), {"confirmation": "sho"})
    assert ServerCertificate.objects.exists()
    browser.post(page("delete"), {"confirmation": "shop"})
    assert not ServerCertificate.objects.exists()
    assert Event.objects.filter(action="iam:DeleteServerCertificate").count() == 1


def test_tags_are_set_changed_and_removed(alice: User) -> None:
    row, browser = stored(alice), browser_of(alice)
    browser.post(page("tag"), {"key": "Team", "value": "Web"})
    assert 'value="Web"' in text_of(browser.get(page("get"), {"key": "Team"}))
    assert "begin with aws:" in text_of(browser.post(page("tag"), {"key": "aws:x", "value": "kept"}))
    browser.post(page("untag"), {"key": "Team"})
    assert not row.tags.exists()


def test_tags_at_birth_take_the_permission_to_tag(bob: User) -> None:
    allow(bob, "iam:UploadServerCertificate")
    browser = browser_of(bob)
    assert browser.post(UPLOAD, form(issue("x"), tags="Team=Web")).status_code == 403
    assert browser.post(UPLOAD, form(issue("x"))).status_code == 302


@pytest.mark.bar(73)
def test_a_condition_on_tags_counts(alice: User, bob: User) -> None:
    row = stored(alice)
    allow(bob, "iam:TagServerCertificate", Condition={"StringEquals": {"aws:RequestTag/Team": "Web"}})
    browser = browser_of(bob)
    assert browser.post(page("tag"), {"key": "Team", "value": "Root"}).status_code == 403
    assert browser.post(page("tag"), {"key": "Team", "value": "Web"}).status_code == 302
    assert row.tags.get().value == "Web"


@pytest.mark.bar(61)
def test_it_hides_other_accounts(alice: User, mallory: User, globex: Account) -> None:
    stored(alice)
    assert browser_of(mallory).get(page("get")).status_code == 404
    assert "shop" not in text_of(browser_of(mallory).get(LIST))
