"""Alias, password policy and summary of the account by program."""

import pytest

from identities.models import User
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code, refused.value.message


def test_an_alias_comes_and_goes(program: Program) -> None:
    program.iam("CreateAccountAlias", AccountAlias="acme-corp")
    assert program.iam("ListAccountAliases")["AccountAliases"] == ["acme-corp"]
    assert refusal(program, "DeleteAccountAlias", AccountAlias="other")[:2] == (404, "NoSuchEntity")
    program.iam("DeleteAccountAlias", AccountAlias="acme-corp")
    assert program.iam("ListAccountAliases")["AccountAliases"] == []


def test_an_alias_is_taken_for_all_accounts(program: Program, mallory: User) -> None:
    expected = (409, "EntityAlreadyExists", "The account alias globex already exists.")
    assert refusal(program, "CreateAccountAlias", AccountAlias="globex") == expected


def test_a_password_policy_is_replaced_as_a_whole(program: Program) -> None:
    missing = "The Password Policy with domain name 111122223333 cannot be found."
    assert refusal(program, "GetAccountPasswordPolicy") == (404, "NoSuchEntity", missing)
    program.iam("UpdateAccountPasswordPolicy", MinimumPasswordLength=12, RequireSymbols=True, MaxPasswordAge=90)
    program.iam("UpdateAccountPasswordPolicy", MaxPasswordAge=30)
    policy = program.iam("GetAccountPasswordPolicy")["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["RequireSymbols"]) == (6, False)
    assert (policy["ExpirePasswords"], policy["MaxPasswordAge"]) == (True, 30)
    program.iam("DeleteAccountPasswordPolicy")
    assert refusal(program, "GetAccountPasswordPolicy")[1] == "NoSuchEntity"


def test_a_password_policy_keeps_to_its_ranges(program: Program) -> None:
    message = "1 validation error detected: Value '5' at 'minimumPasswordLength' failed to satisfy constraint: "
    refused = refusal(program, "UpdateAccountPasswordPolicy", MinimumPasswordLength=5)
    assert refused == (400, "ValidationError", f"{message}Member must have value greater than or equal to 6")


def test_the_summary_counts_what_is_there(program: Program, bob: User) -> None:
    summary = program.iam("GetAccountSummary")["SummaryMap"]
    assert (summary["Users"], summary["Groups"], summary["AccountMFAEnabled"]) == (2, 0, 0)
    assert (summary["AccessKeysPerUserQuota"], summary["AccountAccessKeysPresent"]) == (2, 0)
