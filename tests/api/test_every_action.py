"""What holds for each operation that this server has."""

from typing import Any

import pytest

from api import actions, registry, shapes
from audit.models import Event
from identities.models import User
from tests.api.conftest import ProgramOf, key_of
from tests.api.program import Refused
from tests.api.samples import sample
from tests.cast import ACME

ACTIONS = list(actions.registered())
ASKED = [action for action in ACTIONS if action.resource is not None]
# What names something that another account might have.
NAMES = {
    "UserName",
    "GroupName",
    "PolicyArn",
    "AccessKeyId",
    "SerialNumber",
    "SAMLProviderArn",
    "OpenIDConnectProviderArn",
    "RoleName",
    "InstanceProfileName",
}

every_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
every_asked_action = pytest.mark.parametrize("action", ASKED, ids=lambda action: action.name)


def operation_of(action: registry.Action) -> shapes.Operation:
    service, _, name = action.name.partition(":")
    return shapes.operation(service, name)


def inputs_about_alice(action: registry.Action, key_id: str) -> dict[str, Any]:
    """Valid inputs that name Acme's Alice, her key, and things that Acme might have."""
    operation = operation_of(action)
    known = {
        "UserName": "alice",
        "RoleName": "deploy",
        "InstanceProfileName": "web",
        "AWSServiceName": "autoscaling.amazonaws.com",
        "DeletionTaskId": "task/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling/1",
        "AccessKeyId": key_id,
        "PolicyArn": f"arn:aws:iam::{ACME}:policy/readers",
        "PolicySourceArn": f"arn:aws:iam::{ACME}:user/alice",
        "PermissionsBoundary": f"arn:aws:iam::{ACME}:policy/readers",
        "SerialNumber": f"arn:aws:iam::{ACME}:mfa/alice",
        "SAMLProviderArn": f"arn:aws:iam::{ACME}:saml-provider/corp",
        "OpenIDConnectProviderArn": f"arn:aws:iam::{ACME}:oidc-provider/id.example.com",
        "Tags": [{"Key": "team", "Value": "red"}],
        "AuthenticationCode1": "123456",
        "AuthenticationCode2": "654321",
        "AllUsers": False,
        "Url": "https://id.example.com",
        "Arn": f"arn:aws:iam::{ACME}:user/alice",
        "EntityArn": f"arn:aws:iam::{ACME}:delegation-request/one",
        "TemplateArn": "arn:aws:iam::aws:role-template/example.amazonaws.com/one:1",
    }
    made_up = sample(operation.input)
    assert isinstance(made_up, dict)
    made_up.pop("Marker", None)
    return {name: known.get(name, value) for name, value in made_up.items()}


@every_action
def test_it_is_an_operation_and_its_function_is_named_after_it(action: registry.Action) -> None:
    service, _, name = action.name.partition(":")
    assert shapes.find_operation(service, name)
    assert action.function.__name__.replace("_", "") == name.lower()


@pytest.mark.bar(59, 60)
@every_asked_action
def test_it_requires_permission(action: registry.Action, program_of: ProgramOf, alice: User, bob: User) -> None:
    operation = operation_of(action)
    inputs = inputs_about_alice(action, key_of(alice, slot=2).access_key_id)
    with pytest.raises(Refused) as refused:
        program_of(bob).call(operation.service, operation.name, **inputs)
    assert (refused.value.status, refused.value.code) == (403, "AccessDenied")
    event = Event.objects.get(action=action.name)
    assert (event.outcome, event.principal_arn) == ("Denied", bob.arn)


def names_something(action: registry.Action) -> bool:
    made = action.name.startswith(
        ("iam:CreateUser", "iam:CreateGroup", "iam:CreatePolicy", "iam:CreateRole", "iam:CreateInst", "sts:")
    )
    return bool(NAMES & operation_of(action).input.members.keys()) and not made


@pytest.mark.bar(61)
@pytest.mark.parametrize(
    "action", [action for action in ASKED if names_something(action)], ids=lambda action: action.name
)
def test_it_hides_other_accounts(action: registry.Action, program_of: ProgramOf, alice: User, mallory: User) -> None:
    operation = operation_of(action)
    inputs = inputs_about_alice(action, key_of(alice, slot=2).access_key_id)
    with pytest.raises(Refused) as refused:
        program_of(mallory).call(operation.service, operation.name, **inputs)
    assert refused.value.code in ("NoSuchEntity", "AccessDenied")
    assert alice.access_keys.count() == 1 and User.objects.filter(pk=alice.pk).exists()
