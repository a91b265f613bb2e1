"""Tags of managed policies by program: whose keys are compared exactly, and what they let a policy decide."""

import pytest

from identities.models import User
from policies.models import ManagedPolicy
from tests.api.conftest import READ, ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow

BUILT_IN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code


def tags(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs]


def test_tags_come_change_and_go(program: Program, readers: ManagedPolicy) -> None:
    program.iam("TagPolicy", PolicyArn=readers.arn, Tags=tags(("team", "red"), ("Team", "blue")))
    program.iam("TagPolicy", PolicyArn=readers.arn, Tags=tags(("team", "green")))
    both = tags(("Team", "blue"), ("team", "green"))
    assert program.iam("ListPolicyTags", PolicyArn=readers.arn)["Tags"] == both
    assert program.iam("GetPolicy", PolicyArn=readers.arn)["Policy"]["Tags"] == both
    program.iam("UntagPolicy", PolicyArn=readers.arn, TagKeys=["Team", "nothing"])
    assert program.iam("ListPolicyTags", PolicyArn=readers.arn)["Tags"] == tags(("team", "green"))


def test_a_policy_is_born_with_tags_by_who_may_tag_it(program: Program, program_of: ProgramOf, bob: User) -> None:
    made = program.iam("CreatePolicy", PolicyName="born", PolicyDocument=READ, Tags=tags(("team", "red")))["Policy"]
    assert made["Tags"] == tags(("team", "red"))
    allow(bob, "iam:CreatePolicy")
    his = program_of(bob)
    again = {"PolicyName": "again", "PolicyDocument": READ}
    assert refusal(his, "CreatePolicy", Tags=tags(("team", "red")), **again) == (403, "AccessDenied")
    assert not ManagedPolicy.objects.filter(name="again").exists()
    his.iam("CreatePolicy", **again)


def test_a_tag_of_another_case_does_not_stand_for_the_one_that_is_asked_for(program_of: ProgramOf, bob: User) -> None:
    team = {"StringEquals": {"aws:RequestTag/team": "red"}}
    allow(bob, ["iam:CreatePolicy", "iam:TagPolicy"], Condition=team)
    his, born = program_of(bob), {"PolicyName": "born", "PolicyDocument": READ}
    for given in ((("team", "blue"), ("Team", "red")), (("Team", "red"), ("team", "blue"))):
        assert refusal(his, "CreatePolicy", Tags=tags(*given), **born) == (403, "AccessDenied")
    his.iam("CreatePolicy", Tags=tags(("team", "red")), **born)


@pytest.mark.parametrize(("given", "code"), [(("aws:x", "1"), "InvalidInput"), (("x", "aws:1"), "InvalidInput")])
def test_reserved_tags_are_refused(program: Program, readers: ManagedPolicy, given: tuple[str, str], code: str) -> None:
    assert refusal(program, "TagPolicy", PolicyArn=readers.arn, Tags=tags(given)) == (400, code)


def test_a_key_twice_is_refused(program: Program, readers: ManagedPolicy) -> None:
    twice = tags(("x", "1"), ("x", "2"))
    assert refusal(program, "TagPolicy", PolicyArn=readers.arn, Tags=twice) == (400, "InvalidInput")


def test_the_fifty_first_tag_is_refused(program: Program, readers: ManagedPolicy) -> None:
    program.iam("TagPolicy", PolicyArn=readers.arn, Tags=tags(*((f"key-{number}", "") for number in range(50))))
    program.iam("TagPolicy", PolicyArn=readers.arn, Tags=tags(("key-1", "new value")))
    assert refusal(program, "TagPolicy", PolicyArn=readers.arn, Tags=tags(("more", ""))) == (409, "LimitExceeded")


def test_built_in_policies_are_not_tagged(program: Program) -> None:
    assert refusal(program, "TagPolicy", PolicyArn=BUILT_IN, Tags=tags(("x", ""))) == (400, "UnmodifiableEntity")


def test_its_tags_decide(program: Program, program_of: ProgramOf, readers: ManagedPolicy, bob: User) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    allow(bob, "iam:GetPolicy", Condition=condition)
    his = program_of(bob)
    assert refusal(his, "GetPolicy", PolicyArn=readers.arn) == (403, "AccessDenied")
    program.iam("TagPolicy", PolicyArn=readers.arn, Tags=tags(("team", "red")))
    assert his.iam("GetPolicy", PolicyArn=readers.arn)["Policy"]["Arn"] == readers.arn


def test_what_may_be_tagged_and_untagged_is_decided_by_keys(
    program_of: ProgramOf, readers: ManagedPolicy, bob: User
) -> None:
    allow(
        bob,
        ["iam:TagPolicy", "iam:UntagPolicy"],
        Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}, "Null": {"aws:TagKeys": "false"}},
    )
    his = program_of(bob)
    his.iam("TagPolicy", PolicyArn=readers.arn, Tags=tags(("team", "red")))
    assert refusal(his, "TagPolicy", PolicyArn=readers.arn, Tags=tags(("cost", "1"))) == (403, "AccessDenied")
    assert refusal(his, "UntagPolicy", PolicyArn=readers.arn, TagKeys=["team", "cost"]) == (403, "AccessDenied")
    his.iam("UntagPolicy", PolicyArn=readers.arn, TagKeys=["team"])
