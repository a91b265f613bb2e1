"""Finding what a call acts on, always inside the caller's own account, before it is asked whether the caller may."""

import re

from access.resources import load_group, load_policy, load_self, load_user
from api.registry import Call, Target
from audit.errors import InvalidInput, NoSuchEntity, ValidationError
from identities.models import AccessKey, Group, User
from identities.models.groups import group_arn
from identities.models.users import user_arn
from policies.models import AWS, ManagedPolicy

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


def policy(call: Call) -> Target:
    """The managed policy of PolicyArn: the account's own or a built-in one."""
    given = call["PolicyArn"]
    row = find_policy(call, given)
    return Target(given, row)


def find_policy(call: Call, arn: str) -> ManagedPolicy | None:
    """None for a policy that is not there or is another account's. Raises InvalidInput for what is no policy ARN."""
    parts = _POLICY_ARN.fullmatch(arn)
    if parts is None:
        raise InvalidInput(f"ARN {arn} is not valid.")
    scope, _, name = parts.groups()
    if scope not in (AWS, call.account_id):
        return None
    row = load_policy(call.principal, scope, name).row
    # Names are looked up in any case, but an ARN is compared exactly, as conditions and resources of policies compare
    # it: a Deny that names the policy would not see one that is spelled otherwise.
    return row if isinstance(row, ManagedPolicy) and row.arn == arn else None


def owner_of_key(call: Call) -> Target:
    """The user whose key AccessKeyId names. An unknown key is nobody's, which only a wide permission covers."""
    key = AccessKey.objects.filter(account_id=call.account_id, pk=call["AccessKeyId"]).select_related("user").first()
    if key is None:
        return Target("*")
    arn = key.user.arn if key.user else call.account.root_arn
    return Target(arn, key, asked="*")


def mfa_device(call: Call) -> Target:
    """The serial number of a virtual device is its ARN."""
    return Target(call["SerialNumber"])


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


def found_policy(call: Call) -> ManagedPolicy:
    """The managed policy that the call is about. Raises NoSuchEntity."""
    if isinstance(call.target.row, ManagedPolicy):
        return call.target.row
    raise NoSuchEntity(f"Policy {call['PolicyArn']} was not found.")


def attachable_policy(call: Call, name: str = "PolicyArn") -> ManagedPolicy:
    """The policy to attach, or to set as boundary. Raises NoSuchEntity in the words that AWS has for this."""
    row = find_policy(call, call[name])
    if row is None:
        raise NoSuchEntity(f"Policy {call[name]} does not exist or is not attachable.")
    return row
