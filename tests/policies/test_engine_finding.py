"""Which statements are found for a request: every shape of an entry, with and without conditions.

Each row was written because a changed engine (`make mutate`) got away without it.
"""

from typing import Any

import pytest

from policies.engine import Outcome, PolicySet, Request, evaluate
from tests.policies.cases import allow, attached, deny, policy

pytestmark = pytest.mark.sqlite  # the engine knows no database

CONTEXT = {"aws:username": "alice", "aws:team": "red"}
RED = {"StringEquals": {"aws:team": "red"}}
BLUE = {"StringEquals": {"aws:team": "blue"}}
# The resources of a statement, one that is asked for, and whether it is meant.
RESOURCES: tuple[tuple[str, str, bool], ...] = (
    ("arn:aws:s3:::a", "arn:aws:s3:::a", True),
    ("arn:aws:s3:::a", "arn:aws:s3:::ab", False),
    ("arn:aws:s3:::a*", "arn:aws:s3:::ab", True),
    ("arn:aws:s3:::a*", "arn:aws:s3:::b", False),
    ("arn:aws:s3:::ab*ba", "arn:aws:s3:::abba", True),
    ("arn:aws:s3:::ab*ba", "arn:aws:s3:::aba", False),
    ("arn:aws:s3:::ab*ba", "arn:aws:s3:::abxba", True),
    ("arn:aws:s3:::a*b*c", "arn:aws:s3:::axbxc", True),
    ("arn:aws:s3:::a*b*c", "arn:aws:s3:::axxxc", False),
    ("arn:aws:s3:::a?c", "arn:aws:s3:::abc", True),
    ("arn:aws:s3:::a?c", "arn:aws:s3:::ac", False),
    ("arn:aws:s3:::a?*", "arn:aws:s3:::a", False),
    ("arn:aws:s3:::${aws:username}", "arn:aws:s3:::alice", True),
    ("arn:aws:s3:::${aws:username}", "arn:aws:s3:::alicf", False),
    ("arn:aws:s3:::${aws:username}", "arn:aws:s3:::alice/x", False),
    ("arn:aws:s3:::${aws:username}?", "arn:aws:s3:::alice1", True),
    ("arn:aws:s3:::${aws:username}?", "arn:aws:s3:::alice?", True),
    ("arn:aws:s3:::${aws:username}?", "arn:aws:s3:::alice", False),
    ("arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::alice/x", True),
    ("arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::alice/", True),
    ("arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::alice-x", False),
    ("arn:aws:s3:::${aws:username}**", "arn:aws:s3:::alice-x", True),
    ("arn:aws:s3:::${aws:username}/${aws:team}", "arn:aws:s3:::alice/red", True),
    ("arn:aws:s3:::${aws:username}/${aws:team}", "arn:aws:s3:::alice/rex", False),
    ("arn:aws:s3:::${aws:username}/${aws:team}", "arn:aws:s3:::alice/red/x", False),
    ("arn:aws:s3:::${aws:username}${aws:team}", "arn:aws:s3:::alicered", True),
    ("arn:aws:s3:::x${$}${*}/${aws:username}", "arn:aws:s3:::x$*/alice", True),
    ("arn:aws:s3:::x${$}${*}/${aws:username}", "arn:aws:s3:::x$y/alice", False),
    ("arn:aws:s3:::*x/${aws:username}", "arn:aws:s3:::yx/alice", True),
    ("arn:aws:s3:::?x/${aws:username}", "arn:aws:s3:::yx/alice", True),
    ("arn:aws:s3:::?x/${aws:username}", "arn:aws:s3:::yyx/alice", False),
    ("arn:aws:s3:::${aws:nobody}", "arn:aws:s3:::", False),
    ("arn:aws:s3:::${aws:nobody, 'x'}/*", "arn:aws:s3:::x/y", True),
    ("arn:aws:s3", "arn:aws:s3:::a", True),
    ("arn:aws:s3:::a:b", "arn:aws:s3:::a:b", True),
    ("arn:aws:s3:::a:b", "arn:aws:s3:::a:b:c", False),
    ("arn:aws:sns:::a", "arn:aws:sns:::a:b", False),
    ("arn:aws:sns::*:a", "arn:aws:sns::1:a", True),
    ("arn:aws:sns::*:a", "arn:aws:sns::1:a:b", False),
)
# The actions of a statement, one that is asked for, and whether it is meant.
ACTIONS: tuple[tuple[str, str, bool], ...] = (
    ("s3:GetObject", "s3:getobject", True),
    ("s3:GetObject", "s3:GetObjects", False),
    ("s3:Get*", "s3:Get", True),
    ("s3:Get*", "s3:PutGet", False),
    ("s3:*Object", "s3:PutObject", True),
    ("s3:*Object", "s3:PutObjects", False),
    ("s3:Get*tags", "s3:Getags", False),
    ("s3:Get*tags", "s3:Gettags", True),
    ("s3:Get*b*c", "s3:Getxbxc", True),
    ("s3:Get*b*c", "s3:Getxxxc", False),
    ("s3:?etObject", "s3:SetObject", True),
    ("s3:?etObject", "s3:etObject", False),
    ("*", "s3:GetObject", True),
    ("*:*", "s3:GetObject", True),
    ("sns:*", "s3:GetObject", False),
)


def outcome(statement: dict[str, Any], resource: str = "arn:aws:s3:::x", action: str = "s3:GetObject") -> Outcome:
    """What is decided. The explanation has to say the same, and every near miss has to be one."""
    policies, request = PolicySet(identity=(attached(policy(statement)),)), Request(action, resource, CONTEXT)
    plain, explained = evaluate(request, policies), evaluate(request, policies, explain=True)
    assert plain.outcome == explained.outcome
    assert bool(explained.matched) is (plain.outcome is not Outcome.IMPLICITLY_DENIED)
    return plain.outcome


@pytest.mark.parametrize(("wanted", "resource", "meant"), RESOURCES)
def test_an_entry_of_resource_is_found(wanted: str, resource: str, meant: bool) -> None:
    assert (outcome(allow(resource=wanted), resource) is Outcome.ALLOWED) is meant
    assert (outcome(deny(resource=wanted), resource) is Outcome.EXPLICITLY_DENIED) is meant
    assert (outcome(allow(resource=[wanted, "arn:aws:sqs:::y"]), resource) is Outcome.ALLOWED) is meant


@pytest.mark.parametrize(("wanted", "resource", "meant"), RESOURCES)
def test_its_condition_has_to_hold_too(wanted: str, resource: str, meant: bool) -> None:
    assert (outcome(allow(resource=wanted, Condition=RED), resource) is Outcome.ALLOWED) is meant
    assert outcome(allow(resource=wanted, Condition=BLUE), resource) is Outcome.IMPLICITLY_DENIED


@pytest.mark.parametrize(("wanted", "resource", "meant"), RESOURCES)
def test_all_but_an_entry_are_found(wanted: str, resource: str, meant: bool) -> None:
    statement = {"Effect": "Allow", "Action": "*", "NotResource": wanted}
    assert (outcome(statement, resource) is Outcome.ALLOWED) is not meant
    assert (outcome({**statement, "Condition": RED}, resource) is Outcome.ALLOWED) is not meant
    assert outcome({**statement, "Condition": BLUE}, resource) is Outcome.IMPLICITLY_DENIED


@pytest.mark.parametrize(("wanted", "action", "meant"), ACTIONS)
def test_an_entry_of_action_is_found(wanted: str, action: str, meant: bool) -> None:
    assert (outcome(allow(wanted), action=action) is Outcome.ALLOWED) is meant
    but = {"Effect": "Allow", "NotAction": wanted, "Resource": "*"}
    assert (outcome(but, action=action) is Outcome.ALLOWED) is not meant
    assert (outcome(allow(["iam:X", wanted]), action=action) is Outcome.ALLOWED) is meant
