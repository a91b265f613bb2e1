"""All cases in one go, for `make mutate`, which runs them against thousands of changed engines.

Not collected by `make test`, which runs the same one by one.
"""

import importlib
from collections.abc import Iterator

import pytest

from policies.engine import conditions, evaluate, lint, literals
from tests.policies.cases import as_text, make_policies, make_request
from tests.policies.test_engine_cases import DECISIONS, DOCUMENTS


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> Iterator[None]:
    """What the engine read or built before it was changed must not answer for it."""
    importlib.reload(conditions)
    for value in vars(literals).values():
        getattr(value, "cache_clear", lambda: None)()
    yield


def test_every_case() -> None:
    for case in DECISIONS:
        request, policies = make_request(case["request"]), make_policies(case["policies"])
        plain, explained = evaluate(request, policies), evaluate(request, policies, explain=True)
        assert plain.outcome == explained.outcome == case["expected"], case["name"]


def test_every_document() -> None:
    for case in DOCUMENTS:
        errors = [each.code for each in lint(as_text(case["document"]), case["kind"]) if each.severity == "error"]
        assert errors == case["expected"], case["name"]
