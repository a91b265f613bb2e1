import json
import time
from collections.abc import Callable

import pytest

from policies.engine import AttachedPolicy, DocumentError, PolicySet, Request, evaluate, lint, parse
from policies.engine.arn import _compared
from tests.policies.cases import allow, attached, policy
from tests.rig.work import at_most

pytestmark = pytest.mark.sqlite  # the engine knows no database

SIZE = 131_072
ROOM = 400
HALF = SIZE // 2 - ROOM
PATTERNS = {
    "a*a*a*…b": ("a*" * HALF + "b", "a" * SIZE),
    "a*a*a*…b, and it ends so": ("a*" * HALF + "b", "a" * (SIZE - 1) + "b"),
    "*aaa…b*": ("*" + "a" * HALF + "b*", "a" * SIZE),
    "ab*ab*…c": ("ab*" * (SIZE // 3 - ROOM) + "c", "ab" * (SIZE // 2)),
    "?*?*…": ("?*" * HALF, "a" * SIZE),
    "???…": ("?" * (SIZE - ROOM), "a" * (SIZE - ROOM)),
    "*a?a?a?b*": ("*" + "a?" * 15 + "b*", "ab" * (SIZE // 2)),
    "the value many times": ("${aws:value}" * 9_000, "a" * SIZE),
}
DOCUMENTS = {
    "nested": "[" * SIZE,
    "not closed": '"' + "a" * (SIZE - 1),
    "many values": "[" + "1," * HALF,
    "many objects": '{"a":[' + "{}," * 40_000,
    "many actions": policy(allow([f"s3:a{number}*" for number in range(8_000)])),
    "many resources": policy(allow("s3:*", [f"arn:aws:s3:::a{number}*" for number in range(5_000)])),
    "many statements": policy(*[allow()] * 1_000),
    "unknown elements": policy({f"x{number}": 1 for number in range(9_000)}),
    "unknown operators": policy({"Condition": {f"StringEqual{number}": {} for number in range(5_000)}}),
    "many keys": policy(allow(Condition={"StringLike": {f"aws:k{number}": "${aws:x}" for number in range(3_500)}})),
}


# Reading and judging a document of the largest size takes half a million calls at most: 0.1 s on an idle machine.
MOST_CALLS = 1_000_000


def seconds(do: Callable[[], object]) -> float:
    """How long something keeps the processor. Only what hangs is to be told by it: others run beside."""
    start = time.process_time()
    do()
    return time.process_time() - start


@pytest.mark.bar(69)
@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("element", ["Resource", "StringLike"])
def test_no_pattern_takes_long_to_decide(name: str, element: str) -> None:
    pattern, value = PATTERNS[name]
    context = {"aws:value": (value,)}
    if element == "Resource":
        text, resource = policy(allow(resource=f"arn:aws:s3:::{pattern}")), f"arn:aws:s3:::{value}"
    else:
        text, resource = policy(allow(Condition={"StringLike": {"aws:value": pattern}})), "*"
    policies = PolicySet(identity=(attached(text),))
    request = Request("s3:GetObject", resource, context)
    with at_most(300_000):
        evaluate(request, policies)
    # Once it is compiled; each call looks through a text at most once.
    with at_most(1_000):
        evaluate(request, policies)
    assert seconds(lambda: evaluate(request, policies)) < 1


ARNS = {
    "another partition": "arn:none:*:*:*:{}",
    "other names": "arn:*:*:*:*:{}",
    "other names behind a wildcard": "arn:*:s3:*:*:*{}",
    "other beginnings": "arn:aws:s3:::{}*",
}


@pytest.mark.bar(69)
@pytest.mark.parametrize("pattern", ARNS.values(), ids=ARNS)
def test_a_long_value_is_compared_with_thousands_of_patterns_by_its_ends(pattern: str) -> None:
    wanted = [pattern.format(number) for number in range(4_000)]
    policies = PolicySet(identity=(attached(policy(allow(Condition={"ArnLike": {"aws:value": wanted}}))),))
    request = Request("s3:GetObject", "*", {"aws:value": "arn:aws:s3:::" + "a" * 4 * SIZE})
    assert not evaluate(request, policies).allowed
    # Twice per pattern: how the value begins, and how it ends.
    with at_most(2 * len(wanted) + 100):
        evaluate(request, policies)


def test_a_long_value_is_split_once_for_all_patterns_of_arns() -> None:
    wanted = [f"arn:aws:s3:::*{number}*a" for number in range(1_000)]
    policies = PolicySet(identity=(attached(policy(allow(Condition={"ArnLike": {"aws:value": wanted}}))),))
    request = Request("s3:GetObject", "*", {"aws:value": "arn:aws:s3:::" + "a" * SIZE})
    _compared.cache_clear()
    assert not evaluate(request, policies).allowed
    assert _compared.cache_info().misses == 1


@pytest.mark.bar(69)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_takes_long_to_validate(name: str) -> None:
    with at_most(MOST_CALLS):
        lint(DOCUMENTS[name])
    assert seconds(lambda: lint(DOCUMENTS[name])) < 10


@pytest.mark.bar(69)
def test_a_refused_document_is_not_looked_at_to_its_end() -> None:
    patterns = [f"ec2:*{number}*" for number in range(5_000)]
    with at_most(20 * len(patterns)):
        findings = lint(policy(allow(patterns)), "trust")
    assert len(findings) == 100


@pytest.mark.bar(69)
def test_what_could_take_long_is_refused() -> None:
    with pytest.raises(DocumentError) as refused:
        parse(policy(allow(resource="arn:aws:s3:::*" + "a?" * 1_000 + "b*")))
    assert refused.value.findings[0].code == "TOO_MANY_WILDCARDS"


@pytest.mark.bar(129)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        (policy(allow()) + " " * SIZE, "TOO_LONG"),
        ("[" * 33 + "]" * 33, "TOO_DEEP"),
        ('{"a":' * 33 + "1" + "}" * 33, "TOO_DEEP"),
        ("[" + "1," * 20_000 + "1]", "TOO_LONG"),
        ('{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": []}', "DUPLICATE_KEY"),
        ('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "\\u0045ffect": "Deny"}]}', "DUPLICATE_KEY"),
        (policy(*[allow()] * 1_001), "TOO_MANY_STATEMENTS"),
    ],
)
def test_the_size_of_documents_is_capped(text: str, code: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse(text)
    assert [finding.code for finding in refused.value.findings] == [code]


@pytest.mark.bar(129)
def test_the_deepest_nesting_is_read() -> None:
    assert lint("[" * 32 + "]" * 32)[0].code == "NOT_AN_OBJECT"


@pytest.mark.bar(129)
def test_findings_are_capped_and_the_error_stays() -> None:
    blocks: dict[str, object] = {f"x{number}": {} for number in range(500)}
    findings = lint(policy(allow(Condition={"StringEquals": {}, **blocks, "StringLike": 1})))
    assert len(findings) <= 400
    assert any(finding.severity == "error" for finding in findings)


def test_what_is_compiled_is_bounded() -> None:
    policies = PolicySet(identity=(AttachedPolicy("p", "o", parse(policy(allow()))),))
    for number in range(2_000):
        assert evaluate(Request(f"s3:Get{number}", "*"), policies).allowed
    assert len(policies.plans) <= 512


def test_a_document_is_not_read_as_another() -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:GetObject")]})
    assert parse(text) == parse(text.replace(" ", ""))
