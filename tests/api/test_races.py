"""Twenty programs at once who want the same name, or the last place: one gets it, the others AWS's own error."""

from typing import Any

import pytest

from identities.models import User
from tests.api.conftest import READ, ProgramOf
from tests.api.program import Program, Refused
from tests.cast import ACME, trusting
from tests.federation.companies import metadata
from tests.rig.races import THREADS, race

pytestmark = [pytest.mark.bar(74), pytest.mark.django_db(transaction=True)]

TRUST = trusting(f"arn:aws:iam::{ACME}:root")
POLICY = f"arn:aws:iam::{ACME}:policy/kept"
# Two of these are too much for one user, role or group.
ROOM_FOR_ONE = len(READ.replace(" ", "")) + 10
NAMES = (
    ("CreateUser", {"UserName": "one"}),
    ("CreateGroup", {"GroupName": "one"}),
    ("CreateRole", {"RoleName": "one", "AssumeRolePolicyDocument": TRUST}),
    ("CreatePolicy", {"PolicyName": "one", "PolicyDocument": READ}),
    ("CreateInstanceProfile", {"InstanceProfileName": "one"}),
    ("CreateLoginProfile", {"UserName": "kept", "Password": "correct horse Battery 9"}),
    ("CreateVirtualMFADevice", {"VirtualMFADeviceName": "one"}),
    ("CreateSAMLProvider", {"Name": "one", "SAMLMetadataDocument": metadata()}),
)
# The number stands for each program's own.
PLACES = (
    ("groups", 1, "CreateGroup", {"GroupName": "n{}"}),
    ("policies", 2, "CreatePolicy", {"PolicyName": "n{}", "PolicyDocument": READ}),
    ("instance_profiles", 1, "CreateInstanceProfile", {"InstanceProfileName": "n{}"}),
    ("saml_providers", 1, "CreateSAMLProvider", {"Name": "n{}", "SAMLMetadataDocument": metadata()}),
    ("oidc_providers", 1, "CreateOpenIDConnectProvider", {"Url": "https://n{}.example.com"}),
    ("tags", 1, "TagUser", {"UserName": "kept", "Tags": [{"Key": "n{}", "Value": ""}]}),
    ("tags", 1, "TagRole", {"RoleName": "kept", "Tags": [{"Key": "n{}", "Value": ""}]}),
    ("tags", 1, "TagPolicy", {"PolicyArn": POLICY, "Tags": [{"Key": "n{}", "Value": ""}]}),
    ("inline_user_characters", ROOM_FOR_ONE, "PutUserPolicy", {"UserName": "kept", "PolicyName": "n{}"}),
    ("inline_role_characters", ROOM_FOR_ONE, "PutRolePolicy", {"RoleName": "kept", "PolicyName": "n{}"}),
)


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    program = program_of(alice)
    program.iam("CreateUser", UserName="kept")
    program.iam("CreateRole", RoleName="kept", AssumeRolePolicyDocument=TRUST)
    program.iam("CreatePolicy", PolicyName="kept", PolicyDocument=READ)
    return program


def numbered(value: Any, number: int) -> Any:
    """The inputs of one of the programs."""
    if isinstance(value, dict):
        return {key: numbered(each, number) for key, each in value.items()}
    if isinstance(value, list):
        return [numbered(each, number) for each in value]
    return value.replace("n{}", f"n{number}")


def refusals(program: Program, operation: str, inputs: dict[str, Any]) -> list[str]:
    """The codes by which all but one were refused."""
    codes: list[str] = []

    def attempt(number: int) -> None:
        try:
            program.iam(operation, **numbered(inputs, number))
        except Refused as refused:
            codes.append(refused.code)
            raise

    assert race(attempt, Refused) == THREADS - 1, codes
    return codes


@pytest.mark.parametrize(("operation", "inputs"), NAMES, ids=[name for name, _ in NAMES])
def test_a_name_is_given_once(program: Program, operation: str, inputs: dict[str, Any]) -> None:
    assert set(refusals(program, operation, inputs)) == {"EntityAlreadyExists"}


@pytest.mark.parametrize(("quota", "most", "operation", "inputs"), PLACES, ids=[place[2] for place in PLACES])
def test_the_last_place_is_given_once(
    program: Program, alice: User, quota: str, most: int, operation: str, inputs: dict[str, Any]
) -> None:
    alice.account.quota_overrides = {quota: most}
    alice.account.save()
    more = {"PolicyDocument": READ} if operation.startswith("Put") else {}
    assert set(refusals(program, operation, inputs | more)) == {"LimitExceeded"}
