"""Lists that the database writes: they say what a single thing says of itself."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from api import serialize, shapes
from api.tables import Rows
from identities.models import Group, InstanceProfile, User
from tests.api.conftest import ProgramOf
from tests.api.program import Program, xml
from tests.cast import make_role, trusting

NAME = {"UserName": "alice"}
SINGLE: tuple[tuple[str, str, str, dict[str, str], str], ...] = (
    ("ListUsers", "Users", "GetUser", NAME, "User"),
    ("ListGroups", "Groups", "GetGroup", {"GroupName": "Ops"}, "Group"),
    ("ListRoles", "Roles", "GetRole", {"RoleName": "worker"}, "Role"),
    ("ListPolicies", "Policies", "GetPolicy", {}, "Policy"),
    (
        "ListInstanceProfiles",
        "InstanceProfiles",
        "GetInstanceProfile",
        {"InstanceProfileName": "hosts"},
        "InstanceProfile",
    ),
)
AT = datetime(2026, 1, 31, 23, 59, 58, 999_999, tzinfo=UTC)


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    """Of everything one, with a path, a moment that rounding would change, and a text that XML has to escape."""
    here: dict[str, Any] = {"account": alice.account, "path": "/a/b/", "created_at": AT}
    role = make_role(alice.account, "worker", path="/a/", description='<R&D> it\'s "ours"', max_session_seconds=7200)
    Group.objects.create(name="Ops", unique_id="AGPA1", **here)
    InstanceProfile.objects.create(name="hosts", unique_id="AIPA1", role=role, **here)
    User.objects.update(created_at=AT, path="/a/", password_last_used_at=AT.replace(microsecond=0))
    return program_of(alice)


@pytest.mark.parametrize(("list_name", "items", "get_name", "named", "item"), SINGLE)
def test_a_list_says_what_a_single_thing_does(
    program: Program, list_name: str, items: str, get_name: str, named: dict[str, str], item: str
) -> None:
    listed = program.iam(list_name)[items][-1]
    single = program.iam(get_name, **(named or {"PolicyArn": listed["Arn"]}))[item]
    assert listed == {member: value for member, value in single.items() if member in listed}
    assert single.keys() - listed.keys() <= {"RoleLastUsed", "Description", "Tags"}


def test_trust_policies_name_who_is_let_in_as_people_do(program: Program, alice: User, bob: User) -> None:
    alice.refresh_from_db()
    given = trusting(alice.arn, bob.arn)
    for name in ("first", "second"):
        program.iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=given)
    listed = program.iam("ListRoles")["Roles"]
    assert [unquote(role["AssumeRolePolicyDocument"]) == given for role in listed] == [True, True, False]


def test_moments_are_cut_to_the_second_and_left_out_where_there_are_none(program: Program, bob: User) -> None:
    listed = {user["UserName"]: user for user in program.iam("ListUsers")["Users"]}
    assert listed["alice"]["CreateDate"] == listed["alice"]["PasswordLastUsed"] == AT.replace(microsecond=0)
    assert "PasswordLastUsed" not in listed["bob"]


def test_a_profile_without_a_role_has_none(program: Program) -> None:
    program.iam("CreateInstanceProfile", InstanceProfileName="bare")
    listed = program.iam("ListInstanceProfiles")["InstanceProfiles"]
    assert [[role["RoleName"] for role in profile["Roles"]] for profile in listed] == [[], ["worker"]]
    assert program.iam("ListInstanceProfilesForRole", RoleName="worker")["InstanceProfiles"] == listed[1:]


def written(columns: tuple[str, ...], *rows: tuple[str | None, ...]) -> list[list[tuple[str, str | None]]]:
    body = serialize.result(shapes.operation("iam", "ListRoles"), {"Roles": Rows(columns, rows)}, "r")
    members = xml(body).findall("{*}ListRolesResult/{*}Roles/{*}member")
    return [[(each.tag.partition("}")[2], each.text) for each in member] for member in members]


def test_each_row_is_a_structure_without_what_it_has_not() -> None:
    assert written(("Path", "RoleName"), ("/", "a"), (None, "b"), ("", None)) == [
        [("Path", "/"), ("RoleName", "a")],
        [("RoleName", "b")],
        [("Path", None)],
    ]


def test_one_text_that_needs_it_is_escaped_and_its_neighbours_stay() -> None:
    found = written(("RoleName", "Description"), ("a%s", "100 % plain"), ("b", "</Description>&\"'\x00\r"), ("c", None))
    assert found == [
        [("RoleName", "a%s"), ("Description", "100 % plain")],
        [("RoleName", "b"), ("Description", "</Description>&\"'\r")],
        [("RoleName", "c")],
    ]


@pytest.mark.parametrize("columns", [("Colour",), ("RoleName", "Path")])
def test_columns_are_members_of_the_model_in_its_order(columns: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="in this order"):
        written(columns, ("",) * len(columns))
