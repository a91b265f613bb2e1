import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine import PolicySet, Request, evaluate
from policies.engine.variables import Literal, Variable, VariableError, split
from tests.policies.cases import allow, attached, policy

pytestmark = pytest.mark.sqlite  # the engine knows no database

HOME = PolicySet(identity=(attached(policy(allow(resource="arn:aws:s3:::home/${aws:username}/*"))),))
EXACT = PolicySet(identity=(attached(policy(allow(resource="arn:aws:iam::*:user/${aws:username}"))),))
NAMES = st.text(alphabet="ab*?$${}:/", max_size=8)
INJECTIONS = (
    "*",
    "?",
    "**",
    "a*",
    "${aws:username}",
    "${*}",
    "$",
    "}",
    "*/../*",
    "alice/*",
    "ali?e",
    "ALICE",
    "alic",
    "alice2",
    "",
)


def allowed(policies: PolicySet, resource: str, name: str) -> bool:
    return evaluate(Request("s3:GetObject", resource, {"aws:username": (name,)}), policies).allowed


@pytest.mark.bar(70)
@pytest.mark.parametrize("name", INJECTIONS)
def test_a_name_opens_nothing_but_its_own(name: str) -> None:
    assert not allowed(HOME, "arn:aws:s3:::home/alice/diary", name)
    assert not allowed(EXACT, "arn:aws:iam::111122223333:user/alice", name)


@pytest.mark.bar(70)
@given(name=NAMES, other=NAMES)
def test_a_variable_matches_its_value_and_nothing_else(name: str, other: str) -> None:
    assert allowed(EXACT, f"arn:aws:iam::111122223333:user/{other}", name) == (name == other)


@pytest.mark.bar(70)
def test_a_value_is_put_in_once() -> None:
    context = {"aws:username": ("${aws:userid}",), "aws:userid": ("bob",)}
    assert not evaluate(Request("s3:GetObject", "arn:aws:s3:::home/bob/x", context), HOME).allowed
    assert evaluate(Request("s3:GetObject", "arn:aws:s3:::home/${aws:userid}/x", context), HOME).allowed


@pytest.mark.bar(70)
def test_no_arn_matches_by_its_beginning() -> None:
    policies = PolicySet(identity=(attached(policy(allow(resource="arn:aws:s3:::home/alice"))),))
    assert evaluate(Request("s3:GetObject", "arn:aws:s3:::home/alice"), policies).allowed
    for longer in ("arn:aws:s3:::home/alice2", "arn:aws:s3:::home/alice/x", "arn:aws:s3:::home/alic"):
        assert not evaluate(Request("s3:GetObject", longer), policies).allowed


def test_a_text_is_cut_into_parts() -> None:
    parts = split("a-${aws:Username}-${*}${x, 'y, z'}${$}", active=True)
    assert parts == ("a-", Variable("aws:username"), "-", Literal("*"), Variable("x", "y, z"), Literal("$"))
    assert split("a-${aws:username}", active=False) == ("a-${aws:username}",)


@pytest.mark.parametrize("text", ["${", "${}", "${ }", "${a", "${a, b}", "${a, 'b}", "${a, 'b' }c ${", "${${a}}"])
def test_a_broken_variable_is_refused(text: str) -> None:
    with pytest.raises(VariableError):
        split(text, active=True)


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${a",
        "${}",
        "${ }",
        "${a${b}}",
        "${a{b}",
        "${a$b}",
        "${a, x'}",
        "${a, 'x}",
        "${a,}",
        "${a, }",
        "${a, 'x' y}",
        "${a, 'x''y'}",
        "${, 'x'}",
        "x${a}${",
    ],
)
def test_what_is_no_variable_is_refused(text: str) -> None:
    with pytest.raises(VariableError):
        split(text, active=True)
