"""Which statements are found for a request: every shape of an entry, with and without conditions.

Each row was written because a changed engine (`make mutate`) got away without it.
"""

from typing import Any

import pytest

from policies.engine import Outcome, PolicySet, Principals, Request, RequestPrincipal, evaluate
from policies.engine.arn import account_of, resource_part
from policies.engine.principals import PrincipalMatcher, account_named, role_of_session
from tests.policies.cases import ACCOUNT, allow, attached, deny, policy

pytestmark = pytest.mark.sqlite  # the engine knows no database

CONTEXT = {"aws:username": "alice", "aws:team": "red", "Xray": "ray"}
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
    ("arn:aws:s3:::${aws:nobody,'x'}/*", "arn:aws:s3:::x/y", True),
    ("arn:aws:s3:::${aws:nobody,'x'}/${aws:nobody,'y'}", "arn:aws:s3:::x/y", True),
    ("arn:aws:s3:::${aws:nobody,  'x' }/*", "arn:aws:s3:::x/y", True),
    ("arn:aws:s3:::${aws:nobody, ''}/*", "arn:aws:s3:::/y", True),
    ("arn:aws:s3:::a,b/${aws:username}", "arn:aws:s3:::a,b/alice", True),
    ("arn:aws:s3:::${aws:username},b", "arn:aws:s3:::alice,b", True),
    ("arn:aws:s3:::${ aws:username }", "arn:aws:s3:::alice", True),
    ("arn:aws:s3:::${AWS:UserName}", "arn:aws:s3:::alice", True),
    ("arn:aws:s3:::${\taws:username}", "arn:aws:s3:::alice", False),
    ("arn:aws:s3:::${Xray}", "arn:aws:s3:::ray", True),
    ("arn:aws:s3:::*/${aws:nobody, 'x'}", "arn:aws:s3:::y/x", True),
    ("arn:aws:s3:::*/${aws:username, 'x'}", "arn:aws:s3:::y/alice", True),
    ("arn:aws:s3:::*/${aws:username, 'x'}", "arn:aws:s3:::y/x", False),
    ("arn:aws:s3:::${*}${?}${$}", "arn:aws:s3:::*?$", True),
    ("arn:aws:s3", "arn:aws:s3:::a", True),
    # What ends with a wildcard is not completed.
    ("arn:aws:s3*", "arn:aws:s3x", True),
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


# What ArnLike compares, the value of the request, and whether they match.
ARNS: tuple[tuple[str, str, bool], ...] = (
    ("arn:aws:s3:::a/${aws:team}/x", "arn:aws:s3:::a/red/x", True),
    ("arn:aws:s3:::a/${aws:team}/x", "arn:aws:s3:::a/red", False),
    ("arn:aws:s3", "arn:aws:s3:::a", False),
    ("arn:aws:s3", "arn:aws:s3", False),
    ("a*n:aws:s3:::a", "arn:aws:s3:::a", True),
    ("a?n:aws:s3:::a?c", "arn:aws:s3:::abc", True),
    ("arn:aws:s3:::a?c", "arn:aws:s3:::ac", False),
    ("arn:a*:s3:::a", "arn:aws:s3:::a", True),
    ("arn:a*:s3:::a", "arn:aws:s3:::b", False),
    ("arn:*:*:*:*:a*c", "arn:aws:s3:::abc", True),
    ("arn:*:*:*:*:a*c", "arn:aws:s3:::abd", False),
    ("arn:*:*:*:*:a*c", "arn:aws:s3:eu:1:a:bc", True),
    ("arn:*:s3:*:*:abc", "arn:aws:sns:::abc", False),
    ("arn:*:*:*:1*1:abc", "arn:aws:sns::1:abc", False),
    ("arn:*:*:*:1*1:abc", "arn:aws:sns::11:abc", True),
)


# What StringLike compares, the value of the request, and whether they match.
STRINGS: tuple[tuple[str, str, bool], ...] = (
    ("*${aws:username}", "alice", True),
    ("*${aws:username}*${aws:team}", "alicered", True),
    ("${aws:username}*${aws:team}", "alice", False),
    ("?${aws:username}", "alice", False),
    ("?${aws:username}", "xalice", True),
    ("a*e", "alice", True),
    ("a*ice", "aice", True),
    ("ali*ice", "alice", False),
    ("", "", True),
    ("", "a", False),
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


@pytest.mark.parametrize(("wanted", "value", "meant"), ARNS)
def test_an_arn_is_compared_field_by_field(wanted: str, value: str, meant: bool) -> None:
    request = Request("s3:GetObject", "*", {**CONTEXT, "aws:value": value})
    for operator, holds in (("ArnLike", meant), ("ArnEquals", meant), ("ArnNotLike", not meant)):
        policies = PolicySet(identity=(attached(policy(allow(Condition={operator: {"aws:value": wanted}}))),))
        assert evaluate(request, policies).allowed is holds, operator


@pytest.mark.parametrize(("wanted", "value", "meant"), STRINGS)
def test_a_string_is_compared_with_wildcards(wanted: str, value: str, meant: bool) -> None:
    for operator, holds in (("StringLike", meant), ("StringNotLike", not meant)):
        policies = PolicySet(identity=(attached(policy(allow(Condition={operator: {"aws:value": wanted}}))),))
        request = Request("s3:GetObject", "*", {**CONTEXT, "aws:value": value})
        assert evaluate(request, policies).allowed is holds, operator


def test_what_is_said_of_one_action_is_not_said_of_another() -> None:
    """One policy set is asked about many actions, and layers are shared by those of the same statements."""
    text = policy(
        allow("s3:GetObject"), deny("s3:PutObject"), allow("s3:List*"), allow("iam:GetUser", "arn:aws:iam::1:user/a")
    )
    policies = PolicySet(identity=(attached(text),), boundary=attached(policy(allow()), "boundary"))
    for _ in range(2):
        found = [
            evaluate(Request(action, "*"), policies).outcome
            for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject", "iam:GetUser")
        ]
        assert [each.name.partition("_")[0] for each in found] == [
            "ALLOWED",
            "EXPLICITLY",
            "ALLOWED",
            "IMPLICITLY",
            "IMPLICITLY",
        ]


def test_a_statement_without_principal_names_nobody_in_the_policy_of_a_resource() -> None:
    unnamed = attached(policy(allow()))
    assert not evaluate(Request("s3:GetObject", "*"), PolicySet(resource=unnamed)).allowed


def test_parts_that_an_arn_lacks_are_empty() -> None:
    assert (account_of("arn:aws:s3"), resource_part("arn:aws:s3")) == ("", "")
    assert (account_of("arn:aws:s3:eu:1:a:b"), resource_part("arn:aws:s3:eu:1:a:b")) == ("1", "a:b")


def test_what_a_principal_stands_for() -> None:
    assert account_named("111122223333") == account_named("arn:aws:iam::111122223333:root") == "111122223333"
    for text in (
        "1111222233334",
        "1111",
        "abcdefghijkl",
        "arn:aws:iam::111122223333:user/root",
        "１１１１２２２２３３３３",
    ):
        assert account_named(text) == "", text
    assert role_of_session("arn:aws:sts::1:assumed-role/auditor/mondays") == "auditor"
    assert role_of_session("arn:aws:sts::1:assumed-role/auditor") == "auditor"
    assert role_of_session("arn:aws:iam::1:user/auditor/mondays") == ""


@pytest.mark.parametrize(
    ("who", "closeness"),
    [
        (RequestPrincipal("arn:aws:sts::1:assumed-role/a/s", ACCOUNT, "role-session", "AROAAUDITOR000000001"), 3),
        (RequestPrincipal("arn:aws:sts::1:assumed-role/a/s", ACCOUNT, "role-session", "AROAAUDITOR000000001:s"), 3),
        (RequestPrincipal("arn:aws:sts::1:assumed-role/a/s", ACCOUNT, "role-session", "AROAAUDITOR000000002:s"), 1),
        # Not of the account, although the service acts for it.
        (RequestPrincipal("lambda.amazonaws.com", ACCOUNT, "service"), 0),
        (RequestPrincipal("login.example.com", ACCOUNT, "federated"), 0),
        (RequestPrincipal("arn:aws:iam::1:user/a", ACCOUNT, "user"), 1),
        (RequestPrincipal("arn:aws:iam::2:user/a", "444455556666", "user", canonical_id="c" * 64), 0),
    ],
)
def test_how_closely_a_principal_is_named(who: RequestPrincipal, closeness: int) -> None:
    assert PrincipalMatcher(Principals(aws=("AROAAUDITOR000000001", ACCOUNT))).closeness(who) == closeness
