"""Validation never raises and is never slow, whatever stands in the text."""

import json
from collections.abc import Iterable
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.engine import DocumentError, DocumentKind, lint, parse
from policies.engine.aws_messages import aws_message, parse_for_api
from policies.engine.catalog import BUILT_IN, load_everything
from policies.engine.catalog_data import service_names
from policies.engine.grammar import STATEMENT_ELEMENTS
from tests.policies.cases import allow, load, policy
from tests.policies.test_engine_hostile import MOST_CALLS, SIZE
from tests.rig.work import at_most

pytestmark = pytest.mark.sqlite  # the engine knows no database

KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)
kinds = st.sampled_from(KINDS)

WORDS = [
    "*",
    "*:*",
    "",
    "s3:Get*",
    "s3:?etObject",
    "iam:PassRole",
    "sts:AssumeRole",
    "nowhere:Go",
    "arn:aws:s3:::garden/*",
    "arn:aws:iam::111122223333:user/${aws:username}",
    "arn:aws",
    "arn:aws:sqs:*",
    "${",
    "${aws:x, 'y'}",
    "2012-10-17",
    "Allow",
    "Deny",
    "10.0.0.0/8",
    "true",
    "AIDACKCEVSQ6C2EXAMPLE",
    "token.actions.githubusercontent.com",
    "ec2.amazonaws.com",
]
KEYS = ["aws:SourceIp", "aws:TagKeys", "aws:ResourceTag/a", "s3:prefix", "x", "a:b", "aws:", ":", "saml:aud", "iam:x"]
OPERATORS = ["StringEquals", "ForAllValues:StringLike", "Null", "IpAddress", "DateLessThan", "BoolIfExists", "Nope"]

texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
values = st.one_of(texts, st.lists(texts, max_size=4), st.integers(), st.none(), st.booleans())
conditions = st.dictionaries(
    st.sampled_from(OPERATORS), st.dictionaries(st.sampled_from(KEYS), values, max_size=3), max_size=3
)
principals = st.one_of(values, st.dictionaries(st.sampled_from(["AWS", "Service", "Federated", "Other"]), values))
elements: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(STATEMENT_ELEMENTS, values),
    "Effect": st.sampled_from(["Allow", "Deny", "allow"]),
    "Condition": st.one_of(conditions, values),
    "Principal": principals,
    "NotPrincipal": principals,
}
statements = st.fixed_dictionaries({}, optional=elements)
documents = st.fixed_dictionaries({"Version": texts, "Statement": st.one_of(values, st.lists(statements, max_size=4))})
# Well formed ones, which reach the rules behind the grammar.
sound = st.builds(
    policy,
    st.builds(
        allow,
        st.lists(st.sampled_from(["*", "s3:Get*", "iam:PassRole", "nowhere:Go", "s3:ListBucket"]), min_size=1),
        st.lists(st.sampled_from(["*", "arn:aws:s3:::g/*", "arn:aws:sqs:*", "arn:aws:iam::1:x*"]), min_size=1),
        Condition=st.dictionaries(
            st.sampled_from(["StringEquals", "StringLikeIfExists", "ForAllValues:StringNotEquals"]),
            st.dictionaries(st.sampled_from(KEYS), texts, max_size=3),
            max_size=2,
        ),
    ),
)


def check(text: str, kind: DocumentKind) -> None:
    findings = lint(text, kind)
    refused = any(finding.severity == "error" for finding in findings)
    try:
        parse(text, kind)
    except DocumentError as error:
        assert refused and aws_message(error, kind)
    else:
        assert not refused
    try:
        parse_for_api(text, kind)
    except DocumentError as error:
        assert aws_message(error, kind)
    lines = text.count("\n") + text.count("\r") + 1
    assert all(finding.code and finding.message and 1 <= finding.line <= lines for finding in findings)


@pytest.mark.bar(60)
@given(text=st.text(max_size=60), kind=kinds)
def test_any_text_is_validated_without_a_fault(text: str, kind: DocumentKind) -> None:
    check(text, kind)


@pytest.mark.bar(60)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(document=documents, kind=kinds)
def test_any_json_that_looks_like_a_policy_is_validated_without_a_fault(
    document: dict[str, Any], kind: DocumentKind
) -> None:
    check(json.dumps(document), kind)


@settings(max_examples=200, deadline=None)
@given(text=sound, kind=kinds)
def test_any_policy_is_validated_without_a_fault(text: str, kind: DocumentKind) -> None:
    check(text, kind)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), kind=kinds)
def test_a_policy_that_is_cut_or_changed_is_validated_without_a_fault(data: st.DataObject, kind: DocumentKind) -> None:
    text = json.dumps(data.draw(st.sampled_from([case["document"] for case in load("warnings")])), indent=1)
    at = data.draw(st.integers(0, len(text)))
    check(text[:at] + data.draw(st.sampled_from(["", "}", '"', "\\", "*", "\x00", "é", "${"])) + text[at + 1 :], kind)


def filled(texts: Iterable[str], **more: Any) -> list[str]:
    found: list[str] = []
    room = SIZE - 2_000
    for text in texts:
        room -= len(text) + 4
        if room < 0:
            break
        found.append(text)
    return found


EVERY_SERVICE = [f"{prefix}:*" for prefix in service_names()]
EVERY_ACTION = [action.full_name for prefix in service_names() for action in BUILT_IN.actions_of(prefix)]
LARGE = {
    "every service": policy(allow(EVERY_SERVICE)),
    "thousands of actions": policy(allow(filled(EVERY_ACTION))),
    "thousands of unknown actions": policy(allow(filled(f"iam:Do{number}" for number in range(9_000)))),
    "thousands of unknown services": policy(allow(filled(f"s{number}:Do" for number in range(9_000)))),
    "every pattern of the largest service": policy(
        allow(filled(f"ec2:*{a}*{b}" for a in "abcdefghij" for b in map(str, range(900))), "arn:aws:ec2:*:*:instance/*")
    ),
    "resources against a large service": policy(
        allow("ec2:*", filled(f"arn:aws:ec2:*:*:ins*ce/{number}*" for number in range(9_000)))
    ),
    "statements against a large service": policy(
        *[allow("ec2:*", f"arn:aws:ec2:*:*:instance/i-{n}", Condition={"Null": {"ec2:x": "true"}}) for n in range(700)]
    ),
    "long resources": policy(allow("iam:*", ["arn:aws:iam::1:user/" + "a*b?" * 2_000 for _ in range(15)])),
    "many federated principals": policy(
        *[
            {
                "Effect": "Allow",
                "Principal": {"Federated": "token.actions.githubusercontent.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
            }
        ]
        * 700
    ),
}


@pytest.mark.bar(69, 129)
@pytest.mark.parametrize("kind", ["identity", "resource", "trust"])
@pytest.mark.parametrize("name", LARGE)
def test_no_large_document_takes_long(name: str, kind: DocumentKind) -> None:
    load_everything()
    assert len(LARGE[name]) <= SIZE
    with at_most(MOST_CALLS):
        lint(LARGE[name], kind)
