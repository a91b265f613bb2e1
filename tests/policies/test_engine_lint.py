import pytest

from policies.engine import lint
from tests.policies.cases import Case, allow, as_text, deny, load, name_of, policy

NARROW = allow("s3:GetObject", "arn:aws:s3:::garden/*")


@pytest.mark.parametrize("case", load("warnings"), ids=name_of)
def test_it_warns(case: Case) -> None:
    findings = lint(as_text(case["document"]), case["kind"])
    codes = {finding.code for finding in findings}
    assert codes.issuperset(case["expected"]) if case["expected"] else not codes
    assert all(finding.severity != "error" and finding.message and finding.hint for finding in findings)


def test_escalation_needs_the_whole_set() -> None:
    text = policy(allow(["iam:PassRole", "lambda:CreateFunction"]))
    assert "PRIVILEGE_ESCALATION" not in {finding.code for finding in lint(text)}
    text = policy(allow("iam:PassRole"), allow(["lambda:CreateFunction", "lambda:InvokeFunction"]))
    assert "PRIVILEGE_ESCALATION" in {finding.code for finding in lint(text)}


def test_a_deny_takes_an_escalation_back() -> None:
    text = policy(allow("iam:CreatePolicyVersion"), deny("iam:*"))
    assert "PRIVILEGE_ESCALATION" not in {finding.code for finding in lint(text)}


def test_a_repeated_statement_is_noticed() -> None:
    (finding,) = (each for each in lint(policy(NARROW, NARROW)) if each.code == "REDUNDANT_STATEMENT")
    assert finding.message == "This statement says the same as statement 1."


def test_variables_in_the_old_version_are_noticed() -> None:
    text = policy(allow("s3:GetObject", "arn:aws:s3:::${aws:username}"), version="2008-10-17")
    assert {finding.code for finding in lint(text)} == {"OLD_VERSION", "VARIABLE_IN_OLD_VERSION"}


def test_a_warning_stands_at_its_element() -> None:
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",\n"NotAction": "iam:*",\n"Resource": "*"}]}'
    finding = next(each for each in lint(text) if each.code == "NOT_ACTION_ALLOW")
    assert (finding.line, finding.column) == (2, 1)
