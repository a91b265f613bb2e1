"""Permissions may hang on the boundary of the user or role that is changed. Pages bring it for the actions that know it
(service authorization reference), as the API does, and for no other: where it is forgotten a Deny does not deny, and
where it is too much, who may do anything with the bounded may do what nobody meant."""

import pytest
from django.urls import reverse

from identities.models import Role, User
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, make_role, make_user

LIMIT = "arn:aws:iam::aws:policy/PowerUserAccess"
BOUNDED = {"StringEquals": {"iam:PermissionsBoundary": LIMIT}}
# Pages of a role, each with the action that it is.
OF_ROLE = {
    "get-role": "iam:GetRole",
    "update-role": "iam:UpdateRole",
    "get-role-trust": "iam:GetRole",
    "update-assume-role-policy": "iam:UpdateAssumeRolePolicy",
    "delete-role": "iam:DeleteRole",
    "put-role-policy": "iam:PutRolePolicy",
    "put-role-policy-revoke-sessions": "iam:PutRolePolicy",
}


@pytest.fixture
def worker(bob: User) -> Role:
    return make_role(bob.account, "Worker", boundary=ManagedPolicy.objects.get(name="PowerUserAccess"))


def status_of(user: User, view: str, *words: str) -> int:
    return browser_of(user).get(reverse(f"identities:{view}", args=words)).status_code


@pytest.mark.bar(58, 72)
@pytest.mark.parametrize("view", OF_ROLE)
def test_a_deny_by_the_boundary_of_a_role_holds_on_its_pages(bob: User, worker: Role, view: str) -> None:
    allow(bob, "*")
    assert status_of(bob, view, worker.name) == 200
    allow(bob, OF_ROLE[view], name="kept", Effect="Deny", Condition=BOUNDED)
    assert status_of(bob, view, worker.name) == 403


@pytest.mark.parametrize("view", OF_ROLE)
def test_an_allow_by_the_boundary_of_a_role_opens_its_pages(bob: User, worker: Role, view: str) -> None:
    make_role(bob.account, "Free")
    allow(bob, [*set(OF_ROLE.values())], Condition=BOUNDED)
    allow(bob, ["iam:List*", "access-analyzer:*"], name="reads")
    assert (status_of(bob, view, "Worker"), status_of(bob, view, "Free")) == (200, 403)


@pytest.mark.bar(58, 72)
@pytest.mark.parametrize("kind", ["user", "role"])
def test_an_allow_by_the_boundary_opens_nothing_that_does_not_know_it(bob: User, worker: Role, kind: str) -> None:
    make_user(bob.account, "carol")
    User.objects.filter(name="carol").update(boundary=worker.boundary)
    allow(bob, "iam:*", Condition=BOUNDED)
    name = "carol" if kind == "user" else worker.name
    page = reverse(f"identities:tag-{kind}", args=[name])
    assert browser_of(bob).post(page, {"key": "Team", "value": "Storage"}).status_code == 403
    page = reverse(f"identities:put-{kind}-policy", args=[name])
    assert browser_of(bob).get(page).status_code == 200
