"""Groups and their members by program."""

import pytest

from identities.models import Group, User
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import make_user


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code, refused.value.message


def test_create_group_makes_one(program: Program) -> None:
    made = program.iam("CreateGroup", GroupName="Readers", Path="/eng/")["Group"]
    assert made["Arn"] == "arn:aws:iam::111122223333:group/eng/Readers"
    assert made["GroupId"].startswith("AGPA")
    assert program.iam("ListGroups", PathPrefix="/eng/")["Groups"] == [made]


def test_create_group_refuses_a_taken_name(program: Program) -> None:
    program.iam("CreateGroup", GroupName="readers")
    expected = (409, "EntityAlreadyExists", "Group with name READERS already exists.")
    assert refusal(program, "CreateGroup", GroupName="READERS") == expected


def test_members_come_and_go(program: Program, bob: User) -> None:
    program.iam("CreateGroup", GroupName="readers")
    for _ in range(2):
        program.iam("AddUserToGroup", GroupName="readers", UserName="bob")
    assert [user["UserName"] for user in program.iam("GetGroup", GroupName="readers")["Users"]] == ["bob"]
    assert [group["GroupName"] for group in program.iam("ListGroupsForUser", UserName="bob")["Groups"]] == ["readers"]
    program.iam("RemoveUserFromGroup", GroupName="readers", UserName="bob")
    assert program.iam("GetGroup", GroupName="readers")["Users"] == []


def test_get_group_pages_its_members(program: Program, alice: User) -> None:
    group = Group.objects.create(account=alice.account, name="all", unique_id="AGPAALL")
    for name in ("carol", "Dora", "eve"):
        make_user(alice.account, name, console=False).memberships.create(group=group, slot=1)
    first = program.iam("GetGroup", GroupName="all", MaxItems=2)
    second = program.iam("GetGroup", GroupName="all", MaxItems=2, Marker=first["Marker"])
    assert [user["UserName"] for user in first["Users"] + second["Users"]] == ["carol", "Dora", "eve"]
    assert second["IsTruncated"] is False


def test_a_missing_group_or_member_is_named(program: Program) -> None:
    expected = (404, "NoSuchEntity", "The group with name nowhere cannot be found.")
    assert refusal(program, "GetGroup", GroupName="nowhere") == expected
    assert refusal(program, "AddUserToGroup", GroupName="nowhere", UserName="alice") == expected
    program.iam("CreateGroup", GroupName="readers")
    assert refusal(program, "AddUserToGroup", GroupName="readers", UserName="nobody")[2] == (
        "The user with name nobody cannot be found."
    )


def test_update_group_renames(program: Program) -> None:
    made = program.iam("CreateGroup", GroupName="readers")["Group"]
    program.iam("UpdateGroup", GroupName="readers", NewGroupName="writers", NewPath="/eng/")
    moved = program.iam("GetGroup", GroupName="writers")["Group"]
    assert (moved["GroupId"], moved["Path"]) == (made["GroupId"], "/eng/")


def test_delete_group_wants_it_empty(program: Program, bob: User) -> None:
    program.iam("CreateGroup", GroupName="readers")
    program.iam("AddUserToGroup", GroupName="readers", UserName="bob")
    assert refusal(program, "DeleteGroup", GroupName="readers")[:2] == (409, "DeleteConflict")
    program.iam("RemoveUserFromGroup", GroupName="readers", UserName="bob")
    program.iam("DeleteGroup", GroupName="readers")
    assert program.iam("ListGroups")["Groups"] == []
