"""Preferences of an account, and what only partners and members of organizations have."""

import pytest

from api import actions, shapes
from identities.models import User
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused, model
from tests.api.samples import sample
from tests.cast import allow

ELSEWHERE = [
    action.name.partition(":")[2]
    for action in actions.registered()
    if action.function.__module__ == "api.actions.outside_organizations"
]


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def refusal(program: Program, operation: str, **inputs: object) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        program.iam(operation, **inputs)
    return refused.value.status, refused.value.code


def test_properties_are_set_and_told(program: Program) -> None:
    assert program.iam("GetAccountProperties")["Properties"] == {"RoleManager/Enabled": "false"}
    program.iam("PutAccountProperties", Properties={"RoleManager/Enabled": "true"})
    assert program.iam("GetAccountProperties")["Properties"] == {"RoleManager/Enabled": "true"}


@pytest.mark.parametrize(
    "properties",
    [
        {"RoleManager/Enabled": "yes"},
        {"RoleManager/Other": "true"},
        {"RoleManager/Enabled": "true", "Other/Enabled": "true"},
        {"RoleManager": "true"},
        {"RoleManager/Enabled/x": "true"},
        {},
    ],
)
def test_other_properties_are_refused(program: Program, properties: dict[str, str]) -> None:
    code = refusal(program, "PutAccountProperties", Properties=properties)[1]
    assert code == ("InvalidInput" if properties else "ValidationError")
    assert program.iam("GetAccountProperties")["Properties"] == {"RoleManager/Enabled": "false"}


def test_the_namespace_decides(program_of: ProgramOf, bob: User) -> None:
    allow(bob, "iam:PutAccountProperties", Condition={"StringEquals": {"iam:AccountPropertyNamespaces": "Other"}})
    his = program_of(bob)
    assert refusal(his, "PutAccountProperties", Properties={"RoleManager/Enabled": "true"})[1] == "AccessDenied"


def test_token_versions_are_known(program: Program) -> None:
    asked = {"GlobalEndpointTokenVersion": "v3Token"}
    assert refusal(program, "SetSecurityTokenServicePreferences", **asked) == (400, "ValidationError")


def test_there_are_eighteen_of_them() -> None:
    assert len(ELSEWHERE) == 18


@pytest.mark.parametrize("operation", ELSEWHERE)
def test_it_answers_with_an_error_of_its_own(program: Program, operation: str) -> None:
    described = model("iam").operation_model(operation)
    inputs = sample_of(operation)
    known = {shape.metadata.get("error", {}).get("code", shape.name) for shape in described.error_shapes}
    assert refusal(program, operation, **inputs)[1] in known


def sample_of(operation: str) -> dict[str, object]:
    inputs = sample(shapes.operation("iam", operation).input)
    assert isinstance(inputs, dict)
    inputs.pop("Marker", None)
    return inputs
