"""Handing a role to machines: which profile or role is meant, whether the caller may see it, and may pass it on."""

from audit.errors import NoSuchEntity
from audit.http import ConsoleRequest, require_hiding
from identities.models import InstanceProfile, Role
from identities.models.roles import instance_profile_arn, role_arn
from identities.reading import read_named_role
from identities.resource_tags import resource_tags
from identities.services.instance_profiles import PASSED_TO

LIST_PROFILES, GET_PROFILE = "iam:ListInstanceProfiles", "iam:GetInstanceProfile"
PASS, LIST_ROLES = "iam:PassRole", "iam:ListRoles"
# As many as a browser offers while somebody types.
OFFERED = 200


def named_profile(request: ConsoleRequest, name: str) -> InstanceProfile | None:
    """The profile that was typed; None for an empty field. Raises AccessDenied before it is said to be missing, and
    NoSuchEntity."""
    if not name:
        return None
    account_id = request.principal.account_id
    rows = InstanceProfile.objects.filter(account_id=account_id, name_key=name.lower())
    profile = rows.select_related("role").prefetch_related("tags", "role__tags").first()
    tags = resource_tags(profile) if profile else {}
    asked = instance_profile_arn(account_id, "/", name)
    require_hiding(request, GET_PROFILE, profile.arn if profile else None, asked, tags)
    if profile is None:
        raise NoSuchEntity(f"Instance Profile {name} cannot be found.", field="profile")
    return profile


def require_passing(request: ConsoleRequest, role: Role, *, to: str, asked: str = "") -> None:
    """Ask whether the caller may hand a role to `to`, the ARN of a machine or a profile. Raises AccessDenied, which
    names `asked` where the caller has not named the role."""
    passed = {"iam:PassedToService": PASSED_TO, "iam:AssociatedResourceArn": to}
    asked = asked or role_arn(role.account_id, "/", role.name)
    require_hiding(request, PASS, role.arn, asked, {**resource_tags(role), **passed})


def passed_role(request: ConsoleRequest, name: str, *, to: str) -> Role:
    """The role that was typed, to be put into the profile `to`. Raises AccessDenied, telling nothing of a role that
    the caller may not pass, and NoSuchEntity."""
    account_id = request.principal.account_id
    role = read_named_role(account_id, name)
    if role is not None:
        require_passing(request, role, to=to)
        return role
    passed = {"iam:PassedToService": PASSED_TO, "iam:AssociatedResourceArn": to}
    require_hiding(request, PASS, None, role_arn(account_id, "/", name), passed)
    raise NoSuchEntity(f"The role with name {name} cannot be found.", field="role")


def offered_profiles(request: ConsoleRequest) -> list[str]:
    """Names of profiles, for whoever may list them."""
    if not request.gate.may(LIST_PROFILES, "*").allowed:
        return []
    rows = InstanceProfile.objects.filter(account_id=request.principal.account_id).order_by("name_key")
    return list(rows.values_list("name", flat=True)[:OFFERED])


def offered_roles(request: ConsoleRequest) -> list[str]:
    """Names of roles whose trust policy speaks of machines, for whoever may list roles."""
    if not request.gate.may(LIST_ROLES, "*").allowed:
        return []
    rows = Role.objects.filter(account_id=request.principal.account_id, document__contains=PASSED_TO)
    return list(rows.order_by("name_key").values_list("name", flat=True)[:OFFERED])
