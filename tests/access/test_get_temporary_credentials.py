import json

import pytest
from django.urls import reverse

from access.principals import load_for_access_key
from access.session_tokens import open_token
from accounts.models import Account
from audit.models import Event
from identities.models import Role, User
from identities.sealed import box
from identities.services.roles import create_role
from tests.cast import ORIGIN, browser_of, principal_of

PAGE = reverse("access:get-temporary-credentials")


@pytest.fixture
def deploy(alice: User, bob: User) -> Role:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": bob.arn},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "order-77"}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return create_role(by=principal_of(alice), name="Deploy", trust=trust, path="/ops/")


def asked(**more: str) -> dict[str, str]:
    wanted = {"account": "acme", "role_name": "ops/Deploy", "seconds": "900", "external_id": "order-77"}
    return wanted | more


def test_it_shows_credentials_that_work_as_the_role(bob: User, deploy: Role) -> None:
    made = browser_of(bob).post(PAGE, asked()).context["made"]
    claims = open_token(made.session_token, made.access_key_id, box())
    assert (claims.issuer_id, claims.name, claims.secret) == (deploy.unique_id, "bob", made.secret_access_key)
    holder = load_for_access_key(made.access_key_id, ORIGIN, made.session_token)
    assert holder is not None and holder.principal().issuer_arn == deploy.arn
    assert (claims.expires_at - claims.issued_at).total_seconds() == 900


def test_each_form_holds_all_three_parts(bob: User, deploy: Role) -> None:
    context = browser_of(bob).post(PAGE, asked()).context
    made = context["made"]
    for way in context["ways"]:
        assert all(part in way.text for part in (made.access_key_id, made.secret_access_key, made.session_token))
    assert json.loads(context["ways"][2].text)["Version"] == 1
    assert "[Deploy]" in context["ways"][1].text


@pytest.mark.bar(40)
def test_it_asks_for_a_fresh_sign_in(bob: User, deploy: Role) -> None:
    assert browser_of(bob, fresh=False).post(PAGE, asked()).headers["Location"].startswith(reverse("access:confirm"))


def test_without_the_external_id_it_is_refused_and_recorded(bob: User, deploy: Role) -> None:
    page = browser_of(bob).post(PAGE, asked(external_id="")).context
    assert "made" not in page and "is not authorized" in str(page["form"].errors)
    assert Event.objects.filter(action="sts:AssumeRole", outcome="Denied", principal_arn=bob.arn).exists()


def test_longer_than_the_role_allows_is_an_error(bob: User, deploy: Role) -> None:
    page = browser_of(bob).post(PAGE, asked(seconds="43200")).context
    assert page["form"].errors == {"seconds": ["Sessions of this role last 1 hour at most; choose less."]}
    assert page["form"]["role_name"].value() == "ops/Deploy"


def test_root_gets_none(acme: Account, deploy: Role) -> None:
    assert "made" not in browser_of(acme).post(PAGE, asked()).context


@pytest.mark.bar(122)
def test_no_secret_is_recorded(bob: User, deploy: Role) -> None:
    made = browser_of(bob).post(PAGE, asked()).context["made"]
    written = str(list(Event.objects.values()))
    assert made.secret_access_key not in written and made.session_token not in written
