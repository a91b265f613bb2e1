import pytest

from policies.engine import DocumentError, Outcome, evaluate, lint, parse
from policies.engine.aws_messages import aws_message, parse_for_api
from tests.policies.cases import Case, as_text, load, make_policies, make_request, name_of

TOPICS = ("actions_and_resources", "conditions", "variables", "composition")
DECISIONS = [case for topic in TOPICS for case in load(topic)]
DOCUMENTS = load("validation")


@pytest.mark.parametrize("case", DECISIONS, ids=name_of)
def test_it_decides(case: Case) -> None:
    request, policies = make_request(case["request"]), make_policies(case["policies"])
    assert evaluate(request, policies).outcome == case["expected"]


@pytest.mark.parametrize("case", DECISIONS, ids=name_of)
def test_an_explanation_has_the_same_outcome(case: Case) -> None:
    request, policies = make_request(case["request"]), make_policies(case["policies"])
    plain, explained = evaluate(request, policies), evaluate(request, policies, explain=True)
    assert (explained.outcome, explained.layer) == (plain.outcome, plain.layer)
    assert set(plain.statements) <= set(explained.statements) <= {*explained.matched, *plain.statements}
    assert explained.outcome is not Outcome.EXPLICITLY_DENIED or explained.statements


@pytest.mark.parametrize("case", DOCUMENTS, ids=name_of)
def test_it_validates(case: Case) -> None:
    findings = lint(as_text(case["document"]), case["kind"])
    assert [finding.code for finding in findings if finding.severity == "error"] == case["expected"]


@pytest.mark.parametrize("case", DOCUMENTS, ids=name_of)
def test_parse_refuses_exactly_what_has_an_error(case: Case) -> None:
    text = as_text(case["document"])
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
