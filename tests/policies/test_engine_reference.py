import json
import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.engine import DocumentKind, evaluate
from policies.engine.patterns import compile_pattern
from tests.policies import reference
from tests.policies.cases import make_policies, make_request

# Each example is a policy set that is asked forty requests: 10^4 by day, 10^5 by night (`make test-nightly`).
pytestmark = pytest.mark.sqlite  # the engine knows no database
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "")
EXAMPLES = {"nightly": 2_500, "mutation": 8}.get(PROFILE, 250)
ASKED = 40
HERE, THERE = "111122223333", "444455556666"
ALICE = {
    "arn": f"arn:aws:iam::{HERE}:user/alice",
    "account_id": HERE,
    "type": "user",
    "unique_id": "AIDAALICE00000000001",
}
SESSION = {
    "arn": f"arn:aws:sts::{HERE}:assumed-role/auditor/mondays",
    "account_id": HERE,
    "type": "role-session",
    "issuer_arn": f"arn:aws:iam::{HERE}:role/auditor",
    "unique_id": "AROAAUDITOR000000001:mondays",
}
FEDERATED_USER = {
    "arn": f"arn:aws:sts::{HERE}:federated-user/carol",
    "account_id": HERE,
    "type": "federated-user",
    "issuer_arn": ALICE["arn"],
    "unique_id": f"{ALICE['unique_id']}:carol",
}
PROVIDER = f"arn:aws:iam::{HERE}:saml-provider/school"
PRINCIPALS = (
    ALICE,
    SESSION,
    FEDERATED_USER,
    {"arn": SESSION["issuer_arn"], "account_id": HERE, "type": "role", "unique_id": "AROAAUDITOR000000001"},
    {"arn": PROVIDER, "account_id": "", "type": "federated"},
    {"arn": "login.example.com", "account_id": "", "type": "federated"},
    # Made again under the old name after it was deleted.
    {**ALICE, "unique_id": "AIDAALICE00000000002"},
    {**ALICE, "arn": f"arn:aws:iam::{HERE}:user/dave", "canonical_id": "c" * 64, "unique_id": ""},
    {**ALICE, "arn": f"arn:aws:iam::{THERE}:user/bob", "account_id": THERE},
    {"arn": f"arn:aws:iam::{HERE}:root", "account_id": HERE, "type": "root"},
    {"arn": "lambda.amazonaws.com", "account_id": "", "type": "service"},
    {"arn": "", "account_id": "", "type": "anonymous"},
)
NAMED: tuple[Any, ...] = (
    "*",
    {"AWS": "*"},
    {"AWS": HERE},
    {"AWS": [ALICE["arn"], f"arn:aws:iam::{THERE}:root"]},
    {"AWS": f"arn:aws:iam::{THERE}:user/bob"},
    {"AWS": [f"arn:aws:iam::{THERE}:user/bob", THERE]},
    {"AWS": SESSION["issuer_arn"]},
    {"AWS": [SESSION["arn"], SESSION["issuer_arn"]]},
    {"AWS": SESSION["arn"]},
    {"AWS": [FEDERATED_USER["arn"], ALICE["arn"]]},
    {"AWS": FEDERATED_USER["arn"]},
    {"AWS": ALICE["unique_id"]},
    {"AWS": ["AROAAUDITOR000000001", SESSION["arn"]]},
    {"Service": "lambda.amazonaws.com"},
    {"Federated": [PROVIDER, "login.example.com"]},
    {"CanonicalUser": "c" * 64},
    {"AWS": f"arn:aws:iam::{HERE}:user/dave", "Service": "lambda.amazonaws.com"},
)
ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:*", "S3:get*", "s3:?utObject", "*", "iam:*")
ROLE_ACTIONS = ("sts:AssumeRole", "sts:assume*", "sts:TagSession", "sts:*")
RESOURCES = (
    "*",
    "arn:aws:s3:::a/b",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::?/b",
    "arn:aws:s3:::a*b",
    "arn:aws:s3:::*/${aws:username}",
    "arn:aws:s3:::a/${aws:team, 'b'}",
    "arn:aws:s3:::a/${*}",
)
ASKED_ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "iam:GetUser",
    "sts:GetCallerIdentity",
    "s3:getobject",
    "sts:AssumeRole",
)
ASKED_RESOURCES = ("*", "arn:aws:s3:::a/b", "arn:aws:s3:::a/B", "arn:aws:s3:::a/*", "arn:aws:s3:::ab")
VALUES = ("YWJj", "", "b", "B", "a*", "1", "10", "2026-01-01T00:00:00Z", "192.0.2.1", "true", "arn:aws:s3:::a/b")
KEYS = ("aws:username", "aws:team", "aws:Other")
TYPED = {
    "Numeric": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Date": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "String": ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"),
    "Arn": ("Equals", "NotEquals", "Like", "NotLike"),
}
WANTED = {
    "Numeric": ("1", "1.0", "5"),
    "Date": ("2026-01-01", "1767225600", "2026-01-01T01:00:00+01:00"),
    "String": ("b", "B", "", "a*", "?", "*", "${aws:team}", "${*}", "x${aws:username}"),
    "Arn": ("arn:aws:s3:::*", "arn:aws:s*:::a/?", "arn:aws:s3:::a/${aws:team}"),
    "IpAddress": ("192.0.2.0/24", "198.51.100.1", "2001:db8::/32"),
    "Bool": ("true", "false"),
    "Binary": ("YWJj", "eA==", ""),
    "Null": ("true", "false"),
}


def some(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3, unique_by=json.dumps)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(tuple(WANTED)))
    if kind == "Null":
        name = draw(st.sampled_from(("Null", "ForAllValues:Null")))
    else:
        base = kind + draw(st.sampled_from(TYPED.get(kind, ("",))))
        base = draw(st.sampled_from(("IpAddress", "NotIpAddress"))) if kind == "IpAddress" else base
        base = "BinaryEquals" if kind == "Binary" else base
        prefix = draw(st.sampled_from(("", "", "ForAllValues:", "ForAnyValue:")))
        name = prefix + base + draw(st.sampled_from(("", "IfExists")))
    return {name: {draw(st.sampled_from(KEYS)): draw(some(WANTED[kind]))}}


@st.composite
def statements(draw: st.DrawFn, kind: DocumentKind) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny")))}
    actions = ROLE_ACTIONS if kind == "trust" else ACTIONS
    statement[draw(st.sampled_from(("Action", "Action", "NotAction")))] = draw(some(actions))
    if kind != "trust":
        statement[draw(st.sampled_from(("Resource", "Resource", "NotResource")))] = draw(some(RESOURCES))
    if kind in ("resource", "trust") or (kind == "endpoint" and draw(st.booleans())):
        statement[draw(st.sampled_from(("Principal", "Principal", "NotPrincipal")))] = draw(st.sampled_from(NAMED))
    if draw(st.booleans()):
        statement["Condition"] = draw(conditions())
    return statement


def documents(kind: DocumentKind = "identity") -> st.SearchStrategy[dict[str, Any]]:
    version = st.sampled_from(({"Version": "2012-10-17"}, {"Version": "2012-10-17"}, {"Version": "2008-10-17"}, {}))
    some_statements = st.lists(statements(kind), min_size=1, max_size=3)
    return st.builds(lambda head, body: {**head, "Statement": body}, version, some_statements)


FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
FULL_FOR_ALL = {"Version": "2012-10-17", "Statement": [{**FULL["Statement"][0], "Principal": "*"}]}  # type: ignore[dict-item] # the statement above
CONTROL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*"}],
}


@st.composite
def policy_sets(draw: st.DrawFn) -> dict[str, Any]:
    own = st.lists(documents(), max_size=2)
    of_resource = draw(st.sampled_from(("", "resource", "resource", "trust")))
    at_endpoint = st.lists(documents("endpoint"), max_size=2)
    return {
        "identity": draw(st.just([FULL]) | own),
        "boundary": draw(st.none() | st.just(FULL) | documents()),
        "session": draw(st.none() | st.just([FULL]) | own),
        "resource": draw(documents("resource")) if of_resource == "resource" else None,
        "trust": draw(documents("trust")) if of_resource == "trust" else None,
        "resource_required": draw(st.sampled_from((False, False, True))),
        "endpoint": draw(st.none() | st.none() | st.just([FULL]) | at_endpoint),
        "service_control": draw(st.just([]) | st.just([[FULL]]) | st.lists(own, max_size=2)),
        "resource_control": draw(
            st.just([]) | st.just([[FULL_FOR_ALL]]) | st.just([[FULL_FOR_ALL, CONTROL], [CONTROL]])
        ),
    }


def some_request(chance: random.Random) -> dict[str, Any]:
    keys = chance.sample((chance.choice((KEYS[0], "AWS:USERNAME")), *KEYS[1:]), chance.randint(0, 3))
    return {
        "action": chance.choice(ASKED_ACTIONS),
        "resource": chance.choice(ASKED_RESOURCES),
        "principal": chance.choice(PRINCIPALS),
        "resource_account": chance.choice((HERE, HERE, THERE)),
        "context": {key: chance.choices(VALUES, k=chance.randint(0, 3)) for key in keys},
    }


# Choosing one of these costs Hypothesis a tenth of making one up.
REQUESTS = [some_request(random.Random(number)) for number in range(4_000)]  # noqa: S311 - always the same


@pytest.mark.bar(71)
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=PROFILE == "mutation"
)
@given(asked=st.lists(st.sampled_from(REQUESTS), min_size=ASKED, max_size=ASKED), policies=policy_sets())
def test_it_decides_as_the_reference_does(asked: list[dict[str, Any]], policies: dict[str, Any]) -> None:
    compiled = make_policies(policies)
    for request in asked:
        expected = reference.decide(request, policies)
        assert evaluate(make_request(request), compiled).outcome == expected, request
        assert evaluate(make_request(request), compiled, explain=True).outcome == expected, request


PATTERN = st.text(alphabet="ab*?", max_size=12)


@pytest.mark.bar(69)
@settings(max_examples=EXAMPLES * 4, deadline=None)
@given(pattern=PATTERN, text=st.text(alphabet="ab", max_size=12))
def test_patterns_match_as_the_table_says(pattern: str, text: str) -> None:
    assert compile_pattern(pattern).matches(text) == reference.glob(pattern, text)
