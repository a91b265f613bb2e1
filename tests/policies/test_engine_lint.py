from typing import Any

import pytest

from policies.engine import lint
from policies.engine.catalog import Action, Catalog, Service
from policies.engine.lint_principals import SHARED_PROVIDERS
from tests.policies.cases import Case, allow, as_text, deny, load, name_of, policy

pytestmark = pytest.mark.sqlite  # the engine knows no database

NARROW = allow("s3:GetObject", "arn:aws:s3:::garden/*")


@pytest.mark.parametrize("case", load("warnings"), ids=name_of)
def test_it_warns(case: Case) -> None:
    findings = lint(as_text(case["document"]), case["kind"])
    assert sorted({finding.code for finding in findings}) == sorted(case["expected"])
    assert all(finding.severity != "error" and finding.message and finding.hint for finding in findings)


@pytest.mark.bar(115)
@pytest.mark.parametrize("host", SHARED_PROVIDERS)
@pytest.mark.parametrize("named", [True, False])
def test_trust_in_a_provider_of_everybody_is_warned_of(host: str, named: bool) -> None:
    """The audience of most of them is the same for all the world; the first key of each says whose it is."""
    tells = SHARED_PROVIDERS[host][0]
    arn = host if "." not in host.partition(".")[2] else f"arn:aws:iam::111122223333:oidc-provider/{host}"
    for value in ("repo:acme/garden:*",) if named else ("*", "repo:*", "repo:*/x"):
        condition = {"StringLike": {f"{host}:{tells}": value}}
        statement = allow("sts:AssumeRoleWithWebIdentity", "", Principal={"Federated": arn}, Condition=condition)
        del statement["Resource"]
        found = {finding.code for finding in lint(policy(statement), "trust")}
        assert ("SHARED_PROVIDER" not in found) is named


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


def told(text: str, **more: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.hint) for finding in lint(text, **more)]


@pytest.mark.parametrize(
    ("action", "hint"),
    [
        ("s3:GetObjekt", 'Did you mean "s3:GetObject"?'),
        ("iam:CreateUsers", 'Did you mean "iam:CreateUser"?'),
        ("dynamodbb:GetItem", 'Did you mean "dynamodb"?'),
    ],
)
def test_it_guesses_what_was_meant(action: str, hint: str) -> None:
    assert hint in {each for _, each in told(policy(allow(action)))}


def test_it_guesses_condition_keys() -> None:
    text = policy(allow("s3:GetObject", Condition={"IpAddress": {"aws:SourceIpp": "8.8.8.8"}}))
    assert told(text) == [("UNKNOWN_KEY", 'Did you mean "aws:SourceIp"?')]


def test_an_account_says_which_services_there_are() -> None:
    garden = Service("garden", "Our garden", {"plant": Action("garden", "Plant", "Write", "Plants")}, {}, {}, True)
    text = policy(allow("garden:Plant"))
    assert [code for code, _ in told(text)] == ["UNKNOWN_SERVICE"]
    assert told(text, unknown_services=False) == told(text, catalog=Catalog([garden])) == []
    assert [code for code, _ in told(policy(allow("garden:Plnt")), catalog=Catalog([garden]))] == ["UNKNOWN_ACTION"]


def test_the_gravest_findings_survive_many_others() -> None:
    text = policy(allow([f"nowhere{number}:Do" for number in range(1_000)]), allow("iam:PutUserPolicy"))
    codes = {finding.code for finding in lint(text)}
    assert {"PRIVILEGE_ESCALATION", "UNKNOWN_SERVICE"} <= codes


@pytest.mark.bar(73)
@pytest.mark.parametrize(
    "action",
    [
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion",
        "iam:AddUserToGroup",
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:UpdateLoginProfile",
        "iam:DeleteUserPermissionsBoundary",
        "iam:DeleteRolePermissionsBoundary",
        "iam:UpdateSAMLProvider",
        "iam:ResetServiceSpecificCredential",
    ],
)
def test_ways_to_more_power_are_told(action: str) -> None:
    assert "PRIVILEGE_ESCALATION" in {code for code, _ in told(policy(allow(action)))}
    assert "PRIVILEGE_ESCALATION" not in {code for code, _ in told(policy(deny(action)))}


def test_many_ways_to_more_power_are_summed_up() -> None:
    ways = [finding for finding in lint(policy(allow("iam:*"))) if finding.code == "PRIVILEGE_ESCALATION"]
    assert len(ways) == 7 and "further ways" in " ".join(way.message for way in ways)
