"""Finding what a call acts on, always inside the caller's own account, before it is asked whether the caller may."""

import re

from access.resources import (
    Loaded,
    load_group,
    load_instance_profile,
    load_oidc_provider,
    load_policy,
    load_role,
    load_saml_provider,
    load_self,
    load_user,
)
from accounts.tags import first_with_tags, iam_resource_tag_keys, resource_tag_keys
from api.registry import Call, Target
from audit.errors import InvalidInput, NoSuchEntity, ValidationError
from federation.models import OIDCProvider, SAMLProvider
from identities.models import AccessKey, Group, InstanceProfile, Role, User
from identities.models.groups import group_arn
from identities.models.users import user_arn
from identities.services.mfa import devices_named
from policies.models import AWS, ManagedPolicy

_PROVIDER_ARN = re.compile(r"arn:aws:iam::(\d{12}):(saml-provider|oidc-provider)/(\S+)", re.ASCII)
_POLICY_ARN = re.compile(r"arn:aws:iam::(\d{12}|aws):policy(/(?:[!-~]+/)?)([\w+=,.@-]+)", re.ASCII)


def user(call: Call) -> Target:
    """The user that UserName names; without one, the caller."""
    name = call.get("UserName")
    if name is None:
        return _caller(call)
    found = load_user(call.principal, name)
    return Target(found.arn, found.row, found.context, asked=user_arn(call.account_id, "/", name))


def _caller(call: Call) -> Target:
    if call.principal.type not in ("user", "root"):
        raise ValidationError("Must specify userName when calling with non-User credentials")
    found = load_self(call.principal)
    return Target(found.arn, found.row, found.context)


def group(call: Call) -> Target:
    found = load_group(call.principal, call["GroupName"])
    return Target(found.arn, found.row, found.context, asked=group_arn(call.account_id, "/", call["GroupName"]))


def role(call: Call) -> Target:
    found = load_role(call.principal, call["RoleName"])
    return Target(found.arn, found.row, found.context, asked=found.asked)


def instance_profile(call: Call) -> Target:
    found = load_instance_profile(call.principal, call["InstanceProfileName"])
    return Target(found.arn, found.row, found.context, asked=found.asked)


def policy(call: Call) -> Target:
    """The managed policy of PolicyArn: the account's own or a built-in one."""
    given = call["PolicyArn"]
    found = _policy_loaded(call, given)
    return Target(given, found.row, found.context, tags=found.tags) if found else Target(given)


def find_policy(call: Call, arn: str) -> ManagedPolicy | None:
    """The policy of an ARN. Raises InvalidInput for what is no policy ARN."""
    found = _policy_loaded(call, arn)
    return found.row if found and isinstance(found.row, ManagedPolicy) else None


def _policy_loaded(call: Call, arn: str) -> Loaded | None:
    """None for a policy that is not there or is another account's. Raises InvalidInput for what is no policy ARN."""
    parts = _POLICY_ARN.fullmatch(arn)
    if parts is None:
        raise InvalidInput(f"ARN {arn} is not valid.")
    scope, _, name = parts.groups()
    if scope not in (AWS, call.account_id):
        return None
    found = load_policy(call.principal, scope, name)
    # Names are looked up in any case, but an ARN is compared exactly, as conditions and resources of policies compare
    # it: a Deny that names the policy would not see one that is spelled otherwise.
    return found if found.row is not None and found.arn == arn else None


def owner_of_key(call: Call) -> Target:
    """The user whose key AccessKeyId names. An unknown key is nobody's, which only a wide permission covers."""
    rows = AccessKey.objects.filter(account_id=call.account_id, pk=call["AccessKeyId"]).select_related("user")
    key, tags = first_with_tags(rows, "user__tags")
    if key is None:
        return Target("*")
    arn = key.user.arn if key.user else call.account.root_arn
    return Target(arn, key, iam_resource_tag_keys(tags), asked="*")


def mfa_device(call: Call) -> Target:
    """The serial number of a virtual device is its ARN."""
    serial_number = call["SerialNumber"]
    row, tags = first_with_tags(devices_named(call.account_id, serial_number))
    return Target(serial_number, row, resource_tag_keys(tags), tags=tags)


def found_user(call: Call) -> User:
    """The user that the call is about. Raises NoSuchEntity."""
    if isinstance(call.target.row, User):
        return call.target.row
    raise NoSuchEntity(f"The user with name {call.get('UserName', call.principal.name)} cannot be found.")


def found_group(call: Call) -> Group:
    """The group that the call is about. Raises NoSuchEntity."""
    if isinstance(call.target.row, Group):
        return call.target.row
    raise NoSuchEntity(f"The group with name {call['GroupName']} cannot be found.")


def found_role(call: Call) -> Role:
    """The role that the call is about. Raises NoSuchEntity."""
    if isinstance(call.target.row, Role):
        return call.target.row
    raise NoSuchEntity(f"The role with name {call['RoleName']} cannot be found.")


def found_instance_profile(call: Call) -> InstanceProfile:
    """The instance profile that the call is about. Raises NoSuchEntity."""
    if isinstance(call.target.row, InstanceProfile):
        return call.target.row
    raise NoSuchEntity(f"Instance Profile {call['InstanceProfileName']} cannot be found.")


def passed_role(call: Call, *, service: str, associated_with: str) -> Role:
    """The role of RoleName, to be handed to a service's resource, which takes iam:PassRole on it. Raises AccessDenied,
    telling nothing of a role that the caller may not pass, and NoSuchEntity."""
    found = load_role(call.principal, call["RoleName"])
    context = {**found.context, "iam:PassedToService": service, "iam:AssociatedResourceArn": associated_with}
    call.gate.require("iam:PassRole", found.arn, context, asked=found.asked)
    if isinstance(found.row, Role):
        return found.row
    raise NoSuchEntity(f"The role with name {call['RoleName']} cannot be found.")


def found_policy(call: Call) -> ManagedPolicy:
    """The managed policy that the call is about. Raises NoSuchEntity."""
    if isinstance(call.target.row, ManagedPolicy):
        return call.target.row
    raise NoSuchEntity(f"Policy {call['PolicyArn']} was not found.")


def policy_to_detach(call: Call) -> ManagedPolicy:
    """The policy that PolicyArn names. Raises NoSuchEntity in the words that AWS has for this."""
    row = find_policy(call, call["PolicyArn"])
    if row is None:
        raise NoSuchEntity(f"Policy {call['PolicyArn']} does not exist or is not attachable.")
    return row


def attachable_arn(call: Call, name: str = "PolicyArn") -> str:
    """The ARN of the policy to attach, for who looks it up under a lock. Raises InvalidInput where it is malformed."""
    arn: str = call[name]
    if _POLICY_ARN.fullmatch(arn) is None:
        raise InvalidInput(f"ARN {arn} is not valid.")
    return arn


def saml_provider(call: Call) -> Target:
    """The SAML provider of SAMLProviderArn. An ARN says everything, so a denied caller learns nothing new from it."""
    return _provider(call, call["SAMLProviderArn"], "saml-provider")


def oidc_provider(call: Call) -> Target:
    return _provider(call, call["OpenIDConnectProviderArn"], "oidc-provider")


def _provider(call: Call, arn: str, kind: str) -> Target:
    """Raises InvalidInput for what is no ARN of the kind; another account's has no row here."""
    parts = _PROVIDER_ARN.fullmatch(arn)
    if parts is None or parts.group(2) != kind:
        raise InvalidInput(f"ARN {arn} is not valid.")
    if parts.group(1) != call.account_id:
        return Target(arn)
    load = load_saml_provider if kind == "saml-provider" else load_oidc_provider
    found = load(call.principal, parts.group(3))
    return Target(found.arn, found.row, found.context)


def found_saml_provider(call: Call) -> SAMLProvider:
    """The provider that the call is about. Raises NoSuchEntity."""
    if isinstance(call.target.row, SAMLProvider):
        return call.target.row
    raise NoSuchEntity(f"Manifest not found for arn {call['SAMLProviderArn']}")


def found_oidc_provider(call: Call) -> OIDCProvider:
    """The provider that the call is about. Raises NoSuchEntity."""
    if isinstance(call.target.row, OIDCProvider):
        return call.target.row
    raise NoSuchEntity(f"OpenIDConnect Provider not found for arn {call['OpenIDConnectProviderArn']}")


def exact_tags(call: Call) -> dict[str, str]:
    """The Tags input of what compares tag keys exactly. Raises InvalidInput when it names a key twice."""
    tags = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
    if len(tags) < len(call.get("Tags", [])):
        raise InvalidInput("Duplicate tag keys found.")
    return tags
