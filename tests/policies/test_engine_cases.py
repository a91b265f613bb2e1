import json
import re
from pathlib import Path

import pytest

from policies.engine import DocumentError, Outcome, evaluate, lint, parse
from policies.engine.aws_messages import aws_message, parse_for_api
from tests.policies.cases import Case, as_text, load, make_policies, make_request, name_of, policy

pytestmark = pytest.mark.sqlite  # the engine knows no database

TOPICS = ("actions_and_resources", "conditions", "variables", "composition")
DECISIONS = [case for topic in TOPICS for case in load(topic)]
DOCUMENTS = load("validation")
EDGE_CASES = range(1, 99)
PAGE = Path(__file__).parents[2] / "docs/policy-language.md"


@pytest.mark.parametrize("case", DECISIONS, ids=name_of)
def test_it_decides_and_an_explanation_has_the_same_outcome(case: Case) -> None:
    request, policies = make_request(case["request"]), make_policies(case["policies"])
    plain, explained = evaluate(request, policies), evaluate(request, policies, explain=True)
    assert plain.outcome == case["expected"]
    assert (explained.outcome, explained.layer) == (plain.outcome, plain.layer)
    assert set(plain.statements) <= set(explained.statements) <= {*explained.matched, *plain.statements}
    assert explained.outcome is not Outcome.EXPLICITLY_DENIED or explained.statements


@pytest.mark.parametrize("case", DOCUMENTS, ids=name_of)
def test_it_validates_and_parse_refuses_exactly_what_has_an_error(case: Case) -> None:
    text = as_text(case["document"])
    findings = lint(text, case["kind"])
    assert [finding.code for finding in findings if finding.severity == "error"] == case["expected"]
    if case["expected"]:
        with pytest.raises(DocumentError):
            parse(text, case["kind"])
    else:
        assert parse(text, case["kind"]).kind == case["kind"]


@pytest.mark.parametrize("case", [case for case in DOCUMENTS if "aws" in case], ids=name_of)
def test_the_api_speaks_as_aws_does(case: Case) -> None:
    with pytest.raises(DocumentError) as refused:
        parse_for_api(as_text(case["document"]), case["kind"])
    assert aws_message(refused.value, case["kind"]) == case["aws"]


def test_every_edge_case_is_one_of_ours() -> None:
    cases = (*DECISIONS, *DOCUMENTS, *load("warnings"))
    assert {number for case in cases for number in case.get("edge", ())} == set(EDGE_CASES)


def test_every_edge_case_is_explained() -> None:
    first_columns = re.findall(r"^\| ([0-9, –]+) \|", PAGE.read_text(), re.MULTILINE)
    assert [number for text in first_columns for number in numbers_of(text)] == list(EDGE_CASES)


def numbers_of(text: str) -> list[int]:
    """ "3, 4" and "62–65" as numbers."""
    ends = [part.partition("–") for part in text.split(", ")]
    return [number for first, _, last in ends for number in range(int(first), int(last or first) + 1)]


RCP = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize("change", [{"Effect": "Allow"}, {"Action": "*"}, {"Principal": {"AWS": "*"}}])
def test_nobody_can_save_a_resource_control_policy_that_allows(change: dict[str, object]) -> None:
    assert parse_for_api(policy(RCP), "resource_control").statements
    with pytest.raises(DocumentError) as refused:
        parse_for_api(policy({**RCP, **change}), "resource_control")
    message = "The provided policy document does not meet the requirements of the specified policy type."
    assert aws_message(refused.value, "resource_control") == message


def test_the_one_that_aws_attaches_is_still_read() -> None:
    assert parse(policy({**RCP, "Effect": "Allow", "Action": "*"}), "resource_control").statements


TRUSTS: dict[str, tuple[dict[str, object], str]] = {
    "no effect": ({"Effect": None}, "Missing required field Effect"),
    "another effect": ({"Effect": "Maybe"}, "Invalid effect: Maybe"),
    "no principal": ({"Principal": None}, "Missing required field Principal"),
    "an empty principal": ({"Principal": {}}, "Missing required field Principal cannot be empty!"),
    "no service": ({"Principal": {"Service": "arn:aws:x"}}, 'Invalid principal in policy: "SERVICE":"arn:aws:x"'),
    "a canonical user": ({"Principal": {"CanonicalUser": "a" * 64}}, 'Invalid principal in policy: "CanonicalUser"'),
    "everybody but": (
        {"Principal": None, "NotPrincipal": {"AWS": "111122223333"}},
        "Allow with NotPrincipal is not allowed.",
    ),
    "denied to everybody but": (
        {"Effect": "Deny", "Principal": None, "NotPrincipal": {"AWS": "111122223333"}},
        "AssumeRole policy must not contain NotPrincipal field.",
    ),
    "no action": ({"Action": None}, "Missing required field Action"),
    "every action": ({"Action": "s3:*"}, "AssumeRole policy may only specify STS AssumeRole actions."),
    "another action of STS": (
        {"Action": "sts:BadAssumeRole"},
        "Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,  and "
        "sts:AssumeRoleWithWebIdentity",
    ),
    "a resource": ({"Resource": "*"}, "Has prohibited field Resource."),
    "all resources but": ({"NotResource": "*"}, "AssumeRole policy must not contain resources."),
    "Cognito as a whole": (
        {"Principal": {"Federated": "cognito-identity.amazonaws.com"}},
        "A condition block must be present for the Cognito provider",
    ),
}


def trust(**changes: object) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", **changes}
    return policy({name: value for name, value in statement.items() if value is not None})


@pytest.mark.parametrize("name", TRUSTS)
def test_trust_policies_are_refused_in_words_of_their_own(name: str) -> None:
    changes, message = TRUSTS[name]
    assert parse_for_api(trust(), "trust").statements
    with pytest.raises(DocumentError) as refused:
        parse_for_api(trust(**changes), "trust")
    assert aws_message(refused.value, "trust") == message


def test_a_trust_policy_has_statements_with_sids_of_their_own() -> None:
    for text, message in (
        ('{"Version": "2012-10-17", "Statement": []}', "Could not parse the policy: Statement is empty!"),
        ('{"Version": "2012-10-17"}', "Could not parse the policy: Statement is empty!"),
        (
            policy(*[json.loads(trust(Sid="a"))["Statement"][0]] * 2),
            "The Statement Ids in the policy are not unique",
        ),
    ):
        with pytest.raises(DocumentError) as refused:
            parse_for_api(text, "trust")
        assert aws_message(refused.value, "trust") == message
