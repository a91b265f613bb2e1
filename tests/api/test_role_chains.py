"""What goes on from session to session: tags, a source identity, and roles that are taken on from roles."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import Account
from audit.models import Event
from identities.models import Role, User
from identities.services import roles
from tests.api.program import Program, Refused
from tests.api.test_assume_role import NOW, assume, lifetime, program_with, taken
from tests.cast import allow, make_role, root_of, trusting


def test_too_many_tags_do_not_fit(acme: Account, bob: User, bobs: Program) -> None:
    role = make_role(acme, "tagged", trusting(bob.arn, action=["sts:AssumeRole", "sts:TagSession"]))
    words = [f"{number:04x}{hash((number, 'tag')):x}" for number in range(400)]
    tags = [{"Key": f"key{n}", "Value": "".join(words[n * 8 : n * 8 + 8])[:250]} for n in range(50)]
    with pytest.raises(Refused, match="allotted space") as refused:
        assume(bobs, role, Tags=tags)
    assert refused.value.code == "PackedPolicyTooLarge"


def test_tags_need_their_own_permission_and_become_the_sessions(acme: Account, bob: User, bobs: Program) -> None:
    tags = [{"Key": "team", "Value": "red"}]
    role = make_role(acme, "tagged", trusting(bob.arn))
    with pytest.raises(Refused, match="sts:TagSession"):
        assume(bobs, role, Tags=tags)
    trust = trusting(bob.arn, action=["sts:AssumeRole", "sts:TagSession"])
    roles.update_assume_role_policy(by=root_of(acme), role=role, document=trust)
    allow(role, "iam:ListUsers", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    taken(bobs, role, Tags=tags).iam("ListUsers")
    with pytest.raises(Refused, match="AccessDenied"):
        taken(bobs, role).iam("ListUsers")


@pytest.fixture
def chain(acme: Account, bob: User) -> tuple[Role, Role]:
    """Bob may take on the first role, and the first role the second."""
    every = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    first = make_role(acme, "first", trusting(bob.arn, action=every), max_session_seconds=43200)
    second = make_role(acme, "second", trusting(first.arn, action=every), max_session_seconds=43200)
    for holder in (bob, first):
        allow(holder, every)
    return first, second


@pytest.mark.bar(64, 87)
def test_a_chained_role_lasts_an_hour_at_most_and_not_longer_than_what_it_came_from(
    chain: tuple[Role, Role], bobs: Program
) -> None:
    first, second = chain
    with time_machine.travel(NOW, tick=False):
        long, short = taken(bobs, first), taken(bobs, first, DurationSeconds=900)
        assert lifetime(assume(long, second)) == timedelta(hours=1)
        assert lifetime(assume(short, second, DurationSeconds=3600)) == timedelta(minutes=15)
        with pytest.raises(Refused, match="1 hour session limit for roles assumed by role chaining"):
            assume(long, second, DurationSeconds=3601)


@pytest.mark.bar(93)
def test_transitive_tags_go_on_and_others_do_not(chain: tuple[Role, Role], bobs: Program) -> None:
    first, second = chain
    tags = [{"Key": "team", "Value": "red"}, {"Key": "cost", "Value": "1"}]
    session = taken(bobs, first, Tags=tags, TransitiveTagKeys=["team"])
    allow(second, "iam:ListUsers", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    allow(second, "iam:ListGroups", name="cost", Condition={"StringEquals": {"aws:PrincipalTag/cost": "1"}})
    chained = taken(session, second)
    chained.iam("ListUsers")
    with pytest.raises(Refused, match="AccessDenied"):
        chained.iam("ListGroups")


@pytest.mark.bar(93)
def test_transitive_tags_do_not_go_on_into_a_role_that_takes_none(
    chain: tuple[Role, Role], bobs: Program, globex: Account
) -> None:
    """Else whoever sets tags in an account of their own would bring them into every role that lets them in."""
    first, _ = chain
    session = taken(bobs, first, Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"])
    theirs = make_role(globex, "partners", trusting(first.arn))
    with pytest.raises(Refused, match="sts:TagSession"):
        assume(session, theirs)
    assume(taken(bobs, first), theirs)
    only_blue = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    for condition, opens in ((only_blue, False), ({"StringEquals": {"aws:RequestTag/team": "red"}}, True)):
        trust = json.loads(trusting(first.arn))
        trust["Statement"] += json.loads(trusting(first.arn, action="sts:TagSession", Condition=condition))["Statement"]
        roles.update_assume_role_policy(by=root_of(globex), role=theirs, document=json.dumps(trust))
        if opens:
            assume(session, theirs)
        else:
            with pytest.raises(Refused, match="sts:TagSession"):
                assume(session, theirs)


@pytest.mark.bar(93)
def test_a_transitive_key_may_be_spelled_otherwise_than_its_tag(chain: tuple[Role, Role], bobs: Program) -> None:
    first, second = chain
    session = taken(bobs, first, Tags=[{"Key": "Team", "Value": "red"}], TransitiveTagKeys=["team"])
    allow(second, "iam:ListUsers", Condition={"StringEquals": {"aws:PrincipalTag/Team": "red"}})
    taken(session, second).iam("ListUsers")
    with pytest.raises(Refused, match="its key is a transitive tag key"):
        assume(session, second, Tags=[{"Key": "TEAM", "Value": "blue"}])


@pytest.mark.bar(93)
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"Tags": [{"Key": "Team", "Value": "blue"}]}, "its key is a transitive tag key"),
        (
            {"Tags": [{"Key": "team", "Value": "red"}], "TransitiveTagKeys": ["team"]},
            "conflicts with a transitive tag key",
        ),
        ({"TransitiveTagKeys": ["other"]}, "must be included in the requested tags"),
    ],
)
def test_transitive_tags_are_fixed(
    chain: tuple[Role, Role], bobs: Program, inputs: dict[str, Any], message: str
) -> None:
    first, second = chain
    session = taken(bobs, first, Tags=[{"Key": "team", "Value": "red"}], TransitiveTagKeys=["team"])
    with pytest.raises(Refused, match=message) as refused:
        assume(session, second, **inputs)
    assert refused.value.code == "InvalidParameterValue"


@pytest.mark.bar(93)
def test_a_source_identity_stays_for_the_whole_chain(chain: tuple[Role, Role], bobs: Program) -> None:
    first, second = chain
    made = assume(bobs, first, SourceIdentity="bob")
    assert made["SourceIdentity"] == "bob"
    session = program_with(made)
    with pytest.raises(Refused, match="can't be changed"):
        assume(session, second, SourceIdentity="alice")
    chained = assume(session, second)
    assert chained["SourceIdentity"] == "bob"
    allow(second, "iam:ListUsers", Condition={"StringEquals": {"aws:SourceIdentity": "bob"}})
    program_with(chained).iam("ListUsers")
    assert Event.objects.filter(action="sts:AssumeRole").latest("id").source_identity == "bob"


@pytest.mark.bar(93)
def test_a_source_identity_needs_its_own_permission(deploy: Role, bobs: Program) -> None:
    with pytest.raises(Refused, match="sts:SetSourceIdentity"):
        assume(bobs, deploy, SourceIdentity="bob")
