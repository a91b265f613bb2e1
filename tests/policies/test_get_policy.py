import pytest
from django.urls import reverse

from identities.models import User
from policies import services
from tests.cast import allow, browser_of, principal_of
from tests.policies.documents import ALLOW, statement

HOSTILE = "<img src=x onerror=alert(1)> javascript:alert(1) {{ 7|add:7 }} =cmd"


def page(name: str, scope: str = "own") -> str:
    return reverse("policies:get-policy", args=[scope, name])


def test_it_shows_the_document_with_numbered_lines_and_advice(alice: User) -> None:
    document = statement(Action="*")
    services.create_policy(by=principal_of(alice), name="all", document=document)
    shown = browser_of(alice).get(page("all")).content.decode()
    assert 'id="L5"' in shown and "allows every action on every resource" in shown
    assert "arn:aws:iam::111122223333:policy/all" in shown


def test_it_finds_names_in_any_case(alice: User) -> None:
    assert browser_of(alice).get(page("administratoraccess", "aws")).status_code == 200
    assert browser_of(alice).get(page("AdministratorAccess")).status_code == 404


def test_own_and_built_in_policies_of_one_name_are_told_apart(alice: User) -> None:
    services.create_policy(by=principal_of(alice), name="SecurityAudit", document=ALLOW)
    assert b"111122223333:policy/SecurityAudit" in browser_of(alice).get(page("SecurityAudit")).content
    assert b"aws:policy/SecurityAudit" in browser_of(alice).get(page("SecurityAudit", "aws")).content


def test_the_document_needs_its_own_permission(alice: User, bob: User) -> None:
    policy = services.create_policy(by=principal_of(alice), name="readers", document=ALLOW)
    allow(bob, "iam:GetPolicy", policy.arn)
    shown = browser_of(bob).get(page("readers")).content.decode()
    assert "iam:GetPolicyVersion" in shown and "iam:ListUsers" not in shown


@pytest.mark.bar(50)
def test_hostile_words_are_shown_as_text(alice: User) -> None:
    document = statement(Resource="arn:aws:s3:::<script>alert(1)</script>")
    services.create_policy(by=principal_of(alice), name="evil", document=document, description=HOSTILE)
    for address in (page("evil"), reverse("policies:list-policies"), reverse("policies:create-policy")):
        copied = {"copy": "arn:aws:iam::111122223333:policy/evil"}
        shown = browser_of(alice).get(address, copied).content.decode()
        assert "<img src=x" not in shown and "<script>alert" not in shown
        assert "&lt;img src=x" in shown


@pytest.mark.bar(61, 127)
def test_missing_hidden_and_foreign_policies_look_the_same(alice: User, bob: User, mallory: User) -> None:
    services.create_policy(by=principal_of(mallory), name="theirs", document=ALLOW)
    services.create_policy(by=principal_of(alice), name="ours", document=ALLOW, path="/secret/")
    foreign, missing = (browser_of(alice).get(page(name)) for name in ("theirs", "nothin"))
    assert foreign.status_code == missing.status_code == 404
    for name in ("ours", "theirs", "nothing"):
        answer = browser_of(bob).get(page(name))
        assert answer.status_code == 403 and b"/secret/" not in answer.content
