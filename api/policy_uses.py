"""How an account uses managed policies. A built-in one may be used by other accounts too, which is not told."""

from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.expressions import Combinable

from accounts.counting import number_of
from identities.models import GroupAttachment, Role, RoleAttachment, User, UserAttachment
from policies.models import PolicyVersion


def default_version() -> Subquery:
    """The number of the version that counts."""
    return Subquery(PolicyVersion.objects.filter(policy=OuterRef("pk"), is_default=True).values("number")[:1])


def attachments(account_id: str) -> Combinable:
    """How often the account attaches a policy."""
    users = number_of(UserAttachment.objects.filter(user__account_id=account_id), "policy")
    groups = number_of(GroupAttachment.objects.filter(group__account_id=account_id), "policy")
    return users + groups + number_of(RoleAttachment.objects.filter(role__account_id=account_id), "policy")


def boundaries(account_id: str) -> Combinable:
    """How many users and roles of the account a policy bounds."""
    users = number_of(User.objects.filter(account_id=account_id), "boundary")
    return users + number_of(Role.objects.filter(account_id=account_id), "boundary")


def used_as(account_id: str, usage: str) -> Q:
    """Only the policies that the account uses so: as "PermissionsPolicy", as "PermissionsBoundary", or as "Any" of
    both; with '' all."""
    attached = Q(Exists(UserAttachment.objects.filter(policy=OuterRef("pk"), user__account_id=account_id)))
    attached |= Q(Exists(GroupAttachment.objects.filter(policy=OuterRef("pk"), group__account_id=account_id)))
    attached |= Q(Exists(RoleAttachment.objects.filter(policy=OuterRef("pk"), role__account_id=account_id)))
    bounding = Q(Exists(User.objects.filter(boundary=OuterRef("pk"), account_id=account_id)))
    bounding |= Q(Exists(Role.objects.filter(boundary=OuterRef("pk"), account_id=account_id)))
    wanted = {"PermissionsPolicy": attached, "PermissionsBoundary": bounding, "Any": attached | bounding}
    return wanted.get(usage, Q())
