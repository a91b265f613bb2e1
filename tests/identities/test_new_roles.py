"""A role made with everything that was chosen for it."""

from dataclasses import replace

import pytest

from accounts.models import Account
from audit.errors import InvalidInput, NoSuchEntity
from audit.models import Event
from identities.models import Role
from identities.services.grants import Item, boundary_items, group_items, policy_items
from identities.services.groups import create_group
from identities.services.new_roles import NewRole, create_role_with_access
from tests.cast import root_of, trusting

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"


@pytest.fixture
def wanted(acme: Account) -> NewRole:
    items = (*boundary_items(acme.id, READ), *policy_items(acme.id, [AUDIT]))
    return NewRole(acme.id, "deploy", trusting(acme.root_arn), tags={"team": "red"}, items=items)


def test_it_says_step_by_step_what_the_gate_is_asked(wanted: NewRole) -> None:
    steps = wanted.steps()
    assert [step.action for step in steps] == [
        "iam:CreateRole",
        "iam:TagRole",
        "iam:PutRolePermissionsBoundary",
        "iam:AttachRolePolicy",
    ]
    assert {step.resource for step in steps} == {f"arn:aws:iam::{wanted.account_id}:role/deploy"}
    assert steps[0].context["iam:PermissionsBoundary"] == READ
    assert steps[3].context["iam:PolicyARN"] == AUDIT


def test_it_makes_all_of_it(acme: Account, wanted: NewRole) -> None:
    role = create_role_with_access(by=root_of(acme), new=wanted)
    assert role.boundary is not None and role.boundary.arn == READ
    assert [each.policy.arn for each in role.attachments.select_related("policy")] == [AUDIT]
    assert Event.objects.filter(action__in=["iam:CreateRole", "iam:AttachRolePolicy"]).count() == 2


@pytest.mark.parametrize("wrong", ["missing", "group", "two boundaries"])
def test_it_makes_nothing_when_one_thing_fails(acme: Account, wanted: NewRole, wrong: str) -> None:
    items: list[Item] = {
        "missing": policy_items(acme.id, [READ + "Gone"]),
        "group": group_items(acme.id, [create_group(by=root_of(acme), name="admins").name]),
        "two boundaries": boundary_items(acme.id, AUDIT),
    }[wrong]
    with pytest.raises((InvalidInput, NoSuchEntity)):
        create_role_with_access(by=root_of(acme), new=replace(wanted, items=(*wanted.items, *items)))
    assert not Role.objects.exists()
