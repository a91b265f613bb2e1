"""What documents open: the powers that the self-check adds up agree with what the engine decides."""

import json

import pytest

from policies.engine import AttachedPolicy, PolicySet, Request, evaluate, parse
from policies.engine.escalation import ESCALATIONS
from policies.engine.powers import Powers, powers_of, ways_of


def powers(*statements: dict[str, object]) -> Powers:
    return powers_of(parse(json.dumps({"Version": "2012-10-17", "Statement": list(statements)})))


def letting(*actions: str, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


@pytest.mark.bar(142)
@pytest.mark.parametrize(("what", "actions"), ESCALATIONS)
def test_each_way_is_found_and_takes_all_of_its_actions(what: str, actions: tuple[str, ...]) -> None:
    found = powers(letting(*actions))
    assert (what, actions) in found.ways and not found.full
    for missing in actions:
        assert (what, actions) not in powers(letting("a:B", *(set(actions) - {missing}))).ways
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": letting(*actions)}))
    attached = PolicySet(identity=(AttachedPolicy("", "", document),))
    assert all(evaluate(Request(action, "arn:aws:x:::y"), attached).allowed for action in actions)


@pytest.mark.parametrize(
    ("statements", "full"),
    [
        ([letting("*")], True),
        ([letting("*:*")], True),
        ([letting("*"), {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": "a:B", "Resource": "*"}], True),
        ([letting("*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], False),
        ([letting("iam:*", "s3:*")], False),
        ([letting("*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}], False),
    ],
)
def test_full_rights_are_told_by_deciding(statements: list[dict[str, object]], full: bool) -> None:
    assert powers(*statements).full is full


def test_documents_add_up_and_limit_each_other() -> None:
    passing, running = powers(letting("iam:PassRole")), powers(letting("ec2:RunInstances"))
    nothing = powers({"Effect": "Deny", "Action": "ec2:*", "Resource": "*"})
    assert not passing.ways and not running.ways
    assert [actions for _, actions in ways_of([passing, running])] == [("iam:PassRole", "ec2:RunInstances")]
    assert not ways_of([passing, running, nothing])
    assert not ways_of([passing, running], boundary=running)
    assert not ways_of([passing, running], boundary=nothing)
    assert ways_of([passing, running], boundary=powers(letting("*")))
    all_but_machines = powers(letting("*"), {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"})
    assert not ways_of([passing, running], boundary=all_but_machines)
