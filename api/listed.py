"""Rows as lists show them, written by the database; what only a single thing is shown with is left out (`describe`)."""

import functools

from django.db.models import FilteredRelation, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf

from api import policy_uses
from api.tables import Joined, Table, Timestamp, arn, text
from database.prepared import Param
from identities.models import Group, InstanceProfile, Role, ServerCertificate, User
from policies.models import AWS, ManagedPolicy

_ACCOUNT = Param("account_id")
# What else a list is of, by its primary key.
_OWNER = Value(Param("owner"))


def _users(query: QuerySet[User]) -> Table:
    return Table(
        query,
        "name_key",
        Path="path",
        UserName="name",
        UserId="unique_id",
        Arn=arn("user"),
        CreateDate=Timestamp("created_at"),
        PasswordLastUsed=Timestamp("password_last_used_at"),
    )


USERS = _users(User.objects.filter(account_id=_ACCOUNT))
MEMBERS = _users(User.objects.filter(memberships__group=_OWNER))


def _groups(query: QuerySet[Group]) -> Table:
    return Table(
        query,
        "name_key",
        Path="path",
        GroupName="name",
        GroupId="unique_id",
        Arn=arn("group"),
        CreateDate=Timestamp("created_at"),
    )


GROUPS = _groups(Group.objects.filter(account_id=_ACCOUNT))
GROUPS_OF_USER = _groups(Group.objects.filter(memberships__user=_OWNER))


def _role(of: str = "") -> dict[str, Combinable | str]:
    """With the trust policy as it is stored."""
    return {
        "Path": f"{of}path",
        "RoleName": f"{of}name",
        "RoleId": f"{of}unique_id",
        "Arn": arn("role", of=of),
        "CreateDate": Timestamp(f"{of}created_at"),
        "AssumeRolePolicyDocument": f"{of}document",
        "Description": NullIf(f"{of}description", Value("")),
        "MaxSessionDuration": text(f"{of}max_session_seconds"),
    }


ROLES = Table(Role.objects.filter(account_id=_ACCOUNT), "name_key", **_role())


def _instance_profiles(query: QuerySet[InstanceProfile]) -> Table:
    return Table(
        query,
        "name_key",
        Path="path",
        InstanceProfileName="name",
        InstanceProfileId="unique_id",
        Arn=arn("instance-profile"),
        CreateDate=Timestamp("created_at"),
        **{f"Roles.{member}": column for member, column in _role("role__").items()},
    )


INSTANCE_PROFILES = _instance_profiles(InstanceProfile.objects.filter(account_id=_ACCOUNT))
INSTANCE_PROFILES_OF_ROLE = _instance_profiles(InstanceProfile.objects.filter(role=_OWNER))

SERVER_CERTIFICATES = Table(
    ServerCertificate.objects.filter(account_id=_ACCOUNT),
    "name_key",
    Path="path",
    ServerCertificateName="name",
    ServerCertificateId="unique_id",
    Arn=arn("server-certificate"),
    UploadDate=Timestamp("uploaded_at"),
    Expiration=Timestamp("expires_at"),
)

_WHOSE = Coalesce("account_id", Value(AWS))
# An own policy may have the name of a built-in one, so the name alone does not say where a page ended.
_PLACE = Joined("name_key", Value(" "), _WHOSE)
_SCOPES = {"AWS": Q(account_id=None), "Local": Q(account_id=_ACCOUNT)}


@functools.cache
def policies(scope: str, usage: str) -> Table:
    """`scope` and `usage` are words of the model: there is a table for each combination."""
    rows = ManagedPolicy.objects.visible_to(_ACCOUNT).filter(_SCOPES.get(scope, Q()))
    rows = rows.annotate(in_force=FilteredRelation("versions", condition=Q(versions__is_default=True)))
    return Table(
        rows.filter(policy_uses.used_as(_ACCOUNT, usage)),
        _PLACE,
        PolicyName="name",
        PolicyId="unique_id",
        Arn=arn("policy", _WHOSE),
        Path="path",
        DefaultVersionId=Joined(Value("v"), text("in_force__number")),
        AttachmentCount=text(policy_uses.attachments(_ACCOUNT)),
        PermissionsBoundaryUsageCount=text(policy_uses.boundaries(_ACCOUNT)),
        IsAttachable=Value("true"),
        CreateDate=Timestamp("created_at"),
        UpdateDate=Timestamp("updated_at"),
    )


def _attached(relation: str) -> Table:
    rows = ManagedPolicy.objects.filter(**{relation: _OWNER})
    return Table(rows, _PLACE, PolicyName="name", PolicyArn=arn("policy", _WHOSE))


ATTACHED_TO_USER = _attached("user_attachments__user")
ATTACHED_TO_GROUP = _attached("group_attachments__group")
ATTACHED_TO_ROLE = _attached("role_attachments__role")
