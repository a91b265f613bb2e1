"""All cases in one go, for `make mutate`, which runs them against thousands of changed engines.

Not collected by `make test`, which runs the same one by one. What is expected is worked out once, when this is
imported: the engine has no part in it.
"""

from itertools import product

from policies.engine import evaluate, lint, patterns
from tests.policies import reference
from tests.policies.cases import as_text, make_policies, make_request
from tests.policies.test_engine_cases import DECISIONS, DOCUMENTS

TEXTS = ["".join(signs) for length in range(6) for signs in product("ab", repeat=length)]
PATTERNS = {
    "".join(signs): [reference.glob("".join(signs), text) for text in TEXTS]
    for length in range(5)
    for signs in product("ab*?", repeat=length)
}


def every_case() -> None:
    for case in DECISIONS:
        request, policies = make_request(case["request"]), make_policies(case["policies"])
        plain, explained = evaluate(request, policies), evaluate(request, policies, explain=True)
        assert plain.outcome == explained.outcome == case["expected"], case["name"]
    for case in DOCUMENTS:
        errors = [each.code for each in lint(as_text(case["document"]), case["kind"]) if each.severity == "error"]
        assert errors == case["expected"], case["name"]
    for pattern, expected in PATTERNS.items():
        compiled = patterns.compile_pattern(pattern)
        assert [compiled.matches(text) for text in TEXTS] == expected, pattern
