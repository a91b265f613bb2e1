"""All cases in one go, for `make mutate`, which runs them against thousands of changed engines.

Not collected by `make test`, which runs the same one by one.
"""

from policies.engine import evaluate, lint
from tests.policies.cases import as_text, make_policies, make_request
from tests.policies.test_engine_cases import DECISIONS, DOCUMENTS


def test_every_case() -> None:
    for case in DECISIONS:
        request, policies = make_request(case["request"]), make_policies(case["policies"])
        plain, explained = evaluate(request, policies), evaluate(request, policies, explain=True)
        assert plain.outcome == explained.outcome == case["expected"], case["name"]


def test_every_document() -> None:
    for case in DOCUMENTS:
        errors = [each.code for each in lint(as_text(case["document"]), case["kind"]) if each.severity == "error"]
        assert errors == case["expected"], case["name"]
