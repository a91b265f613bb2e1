import itertools
from dataclasses import replace
from typing import Any

import pytest

from policies.engine import (
    ROOT_ALLOWED,
    UNREADABLE,
    AttachedPolicy,
    DocumentError,
    Outcome,
    PolicySet,
    Request,
    RequestPrincipal,
    evaluate,
    might_allow,
    parse,
    unreadable,
)
from tests.policies.cases import ACCOUNT, allow, attached, deny, policy

pytestmark = pytest.mark.sqlite  # the engine knows no database

ALICE = RequestPrincipal(f"arn:aws:iam::{ACCOUNT}:user/alice", ACCOUNT, "user")
ROOT = RequestPrincipal(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, "root")
ASKED = Request("s3:GetObject", "arn:aws:s3:::garden/rose", {}, ALICE, ACCOUNT)
ALLOW, DENY, NOTHING = policy(allow()), policy(allow(), deny()), policy(allow("ec2:*"))
UNKNOWN = (
    {"Version": "2012-10-17", "Statement": [{**allow(), "Surprise": 1}]},
    {"Version": "2012-10-17", "Statement": [allow(Condition={"StringSurprises": {"aws:a": "b"}})]},
    {"Version": "2030-01-01", "Statement": [allow()]},
    {"Version": "2012-10-17", "Statement": [allow()], "Surprise": 1},
    {"Version": "2012-10-17", "Statement": [{**allow(), "Effect": "Perhaps"}]},
)


def identity(*texts: str, **more: Any) -> PolicySet:
    return PolicySet(identity=tuple(attached(text) for text in texts), **more)


@pytest.mark.bar(60)
@pytest.mark.parametrize("document", UNKNOWN)
def test_what_is_unknown_is_refused_and_denies(document: dict[str, Any]) -> None:
    text = str(document).replace("'", '"')
    with pytest.raises(DocumentError):
        parse(text)
    policies = PolicySet(identity=(attached(ALLOW), AttachedPolicy("stored", "alice", unreadable(text))))
    decision = evaluate(ASKED, policies)
    assert (decision.outcome, decision.reason) == (Outcome.EXPLICITLY_DENIED, "unreadable document")


@pytest.mark.bar(60)
@pytest.mark.parametrize("layer", ["boundary", "session", "resource", "service_control", "resource_control"])
def test_an_unreadable_document_denies_in_every_layer(layer: str) -> None:
    stored = AttachedPolicy("stored", "alice", UNREADABLE)
    value: Any = {"session": (stored,), "service_control": ((stored,),), "resource_control": ((stored,),)}
    decision = evaluate(ASKED, identity(ALLOW, **{layer: value.get(layer, stored)}))
    assert decision.outcome is Outcome.EXPLICITLY_DENIED
    assert decision.layer == layer.replace("_", " ")


@pytest.mark.bar(60)
def test_nothing_is_allowed_by_default() -> None:
    assert evaluate(ASKED, PolicySet()).outcome is Outcome.IMPLICITLY_DENIED


@pytest.mark.bar(71)
@pytest.mark.parametrize("texts", list(itertools.product([ALLOW, DENY, NOTHING], repeat=3)))
def test_deny_beats_allow_and_every_limit_must_allow(texts: tuple[str, str, str]) -> None:
    own, boundary, session = texts
    policies = identity(own, boundary=attached(boundary, "boundary"), session=(attached(session, "session"),))
    expected = (
        Outcome.EXPLICITLY_DENIED
        if DENY in texts
        else Outcome.IMPLICITLY_DENIED
        if NOTHING in texts
        else Outcome.ALLOWED
    )
    assert evaluate(ASKED, policies).outcome is expected


@pytest.mark.bar(71)
@pytest.mark.parametrize("order", list(itertools.permutations([ALLOW, DENY, NOTHING])))
def test_the_order_of_policies_makes_no_difference(order: tuple[str, ...]) -> None:
    assert evaluate(ASKED, identity(*order)).outcome is Outcome.EXPLICITLY_DENIED


def test_a_decision_names_the_layer_that_lacks_an_allow() -> None:
    limits = {"boundary": attached(NOTHING, "boundary"), "session": (attached(NOTHING, "session"),)}
    for layer, limit in limits.items():
        assert evaluate(ASKED, identity(ALLOW, **{layer: limit})).layer == layer
    assert evaluate(ASKED, identity(NOTHING)).layer == "identity"
    assert evaluate(ASKED, identity(ALLOW, service_control=((attached(NOTHING),),))).layer == "service control"


def test_a_decision_names_the_statement_and_its_lines() -> None:
    text = '{"Version": "2012-10-17",\n"Statement": [\n{"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"},\n'
    text += '{"Sid": "Read",\n"Effect": "Allow", "Action": "s3:Get*",\n"Resource": "*"}]}'
    decision = evaluate(ASKED, identity(text))
    (ref,) = decision.statements
    assert (ref.origin, decision.reason) == (f"arn:aws:iam::{ACCOUNT}:user/alice", "")
    assert (ref.index, ref.sid, ref.first_line, ref.last_line) == (1, "Read", 4, 6)
    assert (ref.layer, ref.effect, ref.source) == ("identity", "Allow", "a policy")


def test_it_explains_what_nearly_matched() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}
    text = policy(allow("s3:GetObject", "arn:aws:s3:::meadow/*"), allow("s3:*", Condition=condition), allow("ec2:*"))
    request = Request("s3:GetObject", "arn:aws:s3:::garden/rose", {"aws:principaltag/Team": ("green",)}, ALICE, ACCOUNT)
    resource, tag = evaluate(request, identity(text), explain=True).near_misses
    assert (resource.element, resource.wanted, resource.found) == (
        "Resource",
        ("arn:aws:s3:::meadow/*",),
        ("arn:aws:s3:::garden/rose",),
    )
    assert (tag.element, tag.operator, tag.key) == ("Condition", "StringEquals", "aws:PrincipalTag/team")
    assert (tag.wanted, tag.found, tag.statement.index) == (("red", "blue"), ("green",), 1)


def test_it_explains_that_a_key_is_absent() -> None:
    text = policy(allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    (miss,) = evaluate(ASKED, identity(text), explain=True).near_misses
    assert (miss.key, miss.found) == ("aws:MultiFactorAuthPresent", None)


def test_it_explains_that_another_principal_is_named() -> None:
    bob = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}
    resource = attached(policy(allow(Principal=bob)), "resource")
    (miss,) = evaluate(ASKED, PolicySet(resource=resource), explain=True).near_misses
    assert (miss.element, miss.wanted, miss.found) == ("Principal", (bob["AWS"],), (ALICE.arn,))


def test_an_explained_denial_names_every_deny() -> None:
    decision = evaluate(ASKED, identity(DENY, policy(deny("s3:*"))), explain=True)
    assert len(decision.statements) == 2
    assert {ref.effect for ref in decision.matched} == {"Allow", "Deny"}


def test_an_unexplained_decision_names_no_near_misses() -> None:
    decision = evaluate(ASKED, identity(policy(allow(resource="arn:aws:s3:::meadow"))))
    assert (decision.near_misses, decision.matched) == ((), ())


def test_the_root_user_is_allowed() -> None:
    asked = Request(ASKED.action, ASKED.resource, {}, ROOT, ACCOUNT)
    assert evaluate(asked, PolicySet()) == ROOT_ALLOWED
    assert not evaluate(asked, PolicySet(service_control=((attached(DENY),),))).allowed


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), False),
        ((ALLOW,), True),
        ((NOTHING,), False),
        ((DENY,), False),
        ((policy(allow("s3:getobject", "arn:aws:s3:::garden/rose", Condition={"Bool": {"aws:a": "true"}})),), True),
        ((ALLOW, policy(deny(resource="arn:aws:s3:::*"))), True),
        ((ALLOW, policy(deny(Condition={"Null": {"aws:a": "true"}}))), True),
        ((ALLOW, policy(deny("s3:Get*"))), False),
        ((policy({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}),), False),
    ],
)
def test_might_allow_rules_out_what_no_request_could_do(texts: tuple[str, ...], expected: bool) -> None:
    assert might_allow("s3:GetObject", identity(*texts)) is expected


def test_might_allow_asks_every_limit() -> None:
    assert not might_allow("s3:GetObject", identity(ALLOW, boundary=attached(NOTHING, "boundary")))
    assert not might_allow("s3:GetObject", identity(ALLOW, session=()))
    assert might_allow("s3:GetObject", identity(ALLOW, boundary=attached(ALLOW, "boundary")))
    assert might_allow("sts:GetCallerIdentity", PolicySet())


def test_might_allow_counts_what_the_resource_grants() -> None:
    grants = attached(policy(allow(Principal={"AWS": ALICE.arn})), "resource")
    assert might_allow("s3:GetObject", PolicySet(resource=grants))
    assert not might_allow("s3:GetObject", PolicySet(resource=attached(policy(deny(Principal="*")), "resource")))


def test_what_might_not_be_allowed_is_denied() -> None:
    for own, boundary in itertools.product([ALLOW, DENY, NOTHING], repeat=2):
        policies = identity(own, boundary=attached(boundary, "boundary"))
        assert might_allow(ASKED.action, policies) or not evaluate(ASKED, policies).allowed


def test_an_added_policy_counts_at_once() -> None:
    assert evaluate(ASKED, identity(ALLOW)).allowed
    assert not evaluate(ASKED, identity(ALLOW, DENY)).allowed


def test_a_context_value_may_be_a_bare_string() -> None:
    text = policy(allow(Condition={"StringEquals": {"aws:username": "alice"}}))
    assert evaluate(Request("s3:GetObject", "*", {"aws:username": "alice"}), identity(text)).allowed


THERE = "444455556666"
ROSE, TULIP = policy(allow(resource="arn:aws:s3:::garden/rose")), policy(allow(resource="arn:aws:s3:::garden/tulip"))
FOR_ALICE = attached(policy(allow(resource="arn:aws:s3:::garden/*", Principal={"AWS": ALICE.arn})), "resource")
FOR_ALL = attached(policy(allow(resource="arn:aws:s3:::garden/*", Principal="*")), "resource")
FOR_NOBODY = attached(policy(allow(resource="arn:aws:s3:::meadow", Principal="*")), "resource")
ACROSS = Request(ASKED.action, ASKED.resource, {}, ALICE, THERE)
ROOT_ASKS = Request(ASKED.action, ASKED.resource, {}, ROOT, ACCOUNT)


@pytest.mark.parametrize(
    ("asked", "policies", "layer"),
    [
        (ROOT_ASKS, PolicySet(session=(attached(ROSE, "session"),)), ""),
        (ROOT_ASKS, PolicySet(session=(attached(TULIP, "session"),)), "session"),
        (ACROSS, identity(ROSE, resource=FOR_ALICE), ""),
        (ACROSS, identity(TULIP, resource=FOR_ALICE), "identity"),
        (ACROSS, identity(ROSE, resource=FOR_NOBODY), "resource"),
        (ACROSS, identity(TULIP, resource=FOR_NOBODY), "identity"),
        (ASKED, identity(resource=FOR_ALL, boundary=attached(ROSE, "boundary")), ""),
        (ASKED, identity(resource=FOR_ALL, boundary=attached(TULIP, "boundary")), "boundary"),
        (ASKED, identity(resource=FOR_ALL, session=(attached(TULIP, "session"),)), "session"),
        (ASKED, identity(ROSE, boundary=attached(TULIP, "boundary")), "boundary"),
        (ASKED, identity(ROSE, resource=FOR_NOBODY, resource_required=True), "resource"),
        (ASKED, identity(TULIP, resource=FOR_NOBODY, resource_required=True), "identity"),
        (ASKED, identity(ROSE, service_control=((attached(ROSE),), (attached(TULIP),))), "service control"),
    ],
)
def test_every_layer_is_asked_about_the_resource(asked: Request, policies: PolicySet, layer: str) -> None:
    """`layer` is the one that lacks an Allow; "" where none does."""
    decision = evaluate(asked, policies)
    assert (decision.allowed, "" if decision.allowed else decision.layer) == (not layer, layer)
    assert evaluate(asked, policies, explain=True).outcome == decision.outcome


@pytest.mark.parametrize("account", ["", "aws", ACCOUNT])
def test_a_resource_of_no_account_is_of_ones_own(account: str) -> None:
    asked = Request(ASKED.action, ASKED.resource, {}, ALICE, account)
    assert not asked.crosses_accounts
    assert evaluate(asked, identity(ROSE)).allowed


def test_asking_who_one_is_needs_no_permission() -> None:
    asked = Request("sts:GetCallerIdentity", "*", {}, ALICE, ACCOUNT)
    assert evaluate(asked, PolicySet()).allowed
    assert evaluate(asked, identity(DENY)).allowed


@pytest.mark.parametrize("lacking", ["boundary", "session", "endpoint", ""])
def test_all_limits_at_once(lacking: str) -> None:
    def text(layer: str) -> str:
        return TULIP if layer == lacking else ROSE

    limits: dict[str, Any] = {
        "boundary": attached(text("boundary"), "boundary"),
        "session": (attached(text("session"), "session"),),
        "endpoint": (attached(text("endpoint"), "endpoint"),),
        "resource": FOR_NOBODY,
    }
    decision = evaluate(ASKED, identity(ROSE, **limits))
    assert (decision.allowed, decision.layer) == ((False, lacking) if lacking else (True, "identity"))


def test_a_role_that_is_named_is_limited_and_a_user_is_not() -> None:
    role = RequestPrincipal(f"arn:aws:iam::{ACCOUNT}:role/auditor", ACCOUNT, "role")
    for who, allowed in ((ALICE, True), (role, False)):
        named = attached(policy(allow(Principal={"AWS": who.arn})), "resource")
        policies = PolicySet(resource=named, boundary=attached(TULIP, "boundary"))
        asked = Request(ASKED.action, ASKED.resource, {}, who, ACCOUNT)
        assert evaluate(asked, policies).allowed is allowed


def test_it_explains_that_a_resource_is_left_out() -> None:
    text = policy({"Effect": "Allow", "Action": "*", "NotResource": [ASKED.resource]})
    (miss,) = evaluate(ASKED, identity(text), explain=True).near_misses
    assert (miss.element, miss.wanted, miss.found) == ("NotResource", (ASKED.resource,), (ASKED.resource,))


TEAM = {"aws:RequestTag/team": "red"}
TWICE = ("aws:RequestTag/team", "aws:RequestTag/Team")


@pytest.mark.bar(60, 70)
@pytest.mark.parametrize("names", [TWICE, TWICE[::-1]])
@pytest.mark.parametrize(
    "document",
    [
        policy(allow(Condition={"StringEquals": TEAM})),
        policy(allow(), deny(Condition={"StringNotEquals": TEAM})),
        policy(allow(), deny(Condition={"StringEquals": {"aws:RequestTag/TEAM": "blue"}})),
        policy(allow(Condition={"StringNotEquals": {"aws:RequestTag/team": "blue"}})),
    ],
)
@pytest.mark.parametrize("explain", [False, True])
def test_a_key_in_two_spellings_opens_nothing_that_one_of_them_would_not(
    names: tuple[str, str], document: str, explain: bool
) -> None:
    def allowed(*values: str) -> bool:
        asked = replace(ASKED, context={name: (value,) for name, value in zip(names, values, strict=False)})
        return evaluate(asked, identity(document), explain=explain).allowed

    assert allowed("red") and allowed("red", "red")
    assert not allowed("blue") and not allowed("red", "blue") and not allowed("blue", "red")


@pytest.mark.parametrize(("letters", "allowed"), [("abcdef", True), ("abcdefg", False)])
def test_sixty_four_spellings_of_a_key_are_looked_at(letters: str, allowed: bool) -> None:
    spellings = ["".join(each) for each in itertools.product(*zip(letters, letters.upper(), strict=True))][
        : 64 + (not allowed)
    ]
    context = {f"aws:RequestTag/{spelling}": ("red",) for spelling in spellings}
    document = policy(allow(Condition={"StringEquals": {f"aws:RequestTag/{letters}": "red"}}))
    assert evaluate(replace(ASKED, context=context), identity(document)).allowed is allowed


def test_so_many_keys_in_two_spellings_are_refused() -> None:
    twice = {f"aws:RequestTag/{letter}{number}": ("red",) for number in range(25) for letter in "tT"}
    document = policy(allow(Condition={"StringEquals": {"aws:RequestTag/t1": "red"}}))
    assert not evaluate(replace(ASKED, context=twice), identity(document)).allowed
