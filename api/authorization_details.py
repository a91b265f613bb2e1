"""What GetAccountAuthorizationDetails returns, in two queries: a page of users, groups, roles and policies; and what
hangs on those of the page, all as it was at one moment."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db.models import Count, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf

from api import policy_uses
from api.paging import MixedPage
from api.tables import Joined, Table, Tables, Timestamp, arn
from database.batch import AnyOf, Build, QueryBatch, Rows, by_first
from database.prepared import Param
from identities.models import (
    Group,
    GroupAttachment,
    GroupInlinePolicy,
    InstanceProfile,
    Membership,
    Role,
    RoleAttachment,
    RoleInlinePolicy,
    RoleTag,
    User,
    UserAttachment,
    UserInlinePolicy,
    UserTag,
)
from identities.services import trust
from policies.models import AWS, ManagedPolicy, PolicyVersion

_ACCOUNT = Param("account_id")
POLICIES = ("LocalManagedPolicy", "AWSManagedPolicy")


def _named(kind: str, resource: str) -> dict[str, Combinable | str]:
    return {
        "Path": "path",
        f"{kind}Name": "name",
        f"{kind}Id": "unique_id",
        "Arn": arn(resource),
        "CreateDate": Timestamp("created_at"),
    }


def _policy_arn(of: str) -> Joined:
    return arn("policy", Coalesce(f"{of}account_id", Value(AWS)), of)


def _policies(rows: QuerySet[ManagedPolicy]) -> Table:
    return Table(
        rows,
        "name_key",
        pk="pk",
        PolicyName="name",
        PolicyId="unique_id",
        Arn=_policy_arn(""),
        Path="path",
        CreateDate=Timestamp("created_at"),
        UpdateDate=Timestamp("updated_at"),
        Description=NullIf("description", Value("")),
    )


_BOUNDARY = _policy_arn("boundary__")
KINDS = Tables(
    User=Table(
        User.objects.filter(account_id=_ACCOUNT), "name_key", pk="pk", boundary=_BOUNDARY, **_named("User", "user")
    ),
    Group=Table(Group.objects.filter(account_id=_ACCOUNT), "name_key", pk="pk", **_named("Group", "group")),
    Role=Table(
        Role.objects.filter(account_id=_ACCOUNT),
        "name_key",
        pk="pk",
        boundary=_BOUNDARY,
        document="document",
        last_used_at=Timestamp("last_used_at"),
        last_used_region=NullIf("last_used_region", Value("")),
        **_named("Role", "role"),
    ),
    LocalManagedPolicy=_policies(ManagedPolicy.objects.filter(account_id=_ACCOUNT)),
    # Those that something in the account uses, as AWS tells them.
    AWSManagedPolicy=_policies(ManagedPolicy.objects.filter(policy_uses.used_as(_ACCOUNT, "Any"), account_id=None)),
)


def _of(owner: str, model: type[Any], *columns: str | Combinable) -> Build:
    """What hangs on the users, or whatever it is, of the page: each row with its owner's key before it."""
    rows = model.objects.filter(AnyOf(f"{owner}_id", Param(owner))).order_by("pk")
    return partial(rows.values_list, f"{owner}_id", *columns)


def _uses(model: type[Any], policy: str, account: str) -> Build:
    """How many rows of the account point at each policy of the page."""
    rows = model.objects.filter(AnyOf(policy, Param("policy")), **{account: _ACCOUNT}).values_list(policy)
    return partial(rows.annotate, uses=Count("pk"))


_PROFILE = _named("InstanceProfile", "instance-profile")
PROFILE = tuple(_PROFILE)
_INLINE = ("name", "document")
_ATTACHED = ("policy__name_key", "policy__name", _policy_arn("policy__"))
_TAG = ("key", "value")
_HANGING = QueryBatch(
    {
        "user_tags": _of("user", UserTag, *_TAG),
        "user_inline": _of("user", UserInlinePolicy, *_INLINE),
        "user_attached": _of("user", UserAttachment, *_ATTACHED),
        "user_groups": _of("user", Membership, "group__name"),
        "group_inline": _of("group", GroupInlinePolicy, *_INLINE),
        "group_attached": _of("group", GroupAttachment, *_ATTACHED),
        "role_tags": _of("role", RoleTag, *_TAG),
        "role_inline": _of("role", RoleInlinePolicy, *_INLINE),
        "role_attached": _of("role", RoleAttachment, *_ATTACHED),
        "role_profiles": _of("role", InstanceProfile, *_PROFILE.values()),
        "policy_versions": _of("policy", PolicyVersion, "number", "is_default", Timestamp("created_at"), "document"),
        "users_attaching": _uses(UserAttachment, "policy_id", "user__account_id"),
        "groups_attaching": _uses(GroupAttachment, "policy_id", "group__account_id"),
        "roles_attaching": _uses(RoleAttachment, "policy_id", "role__account_id"),
        "users_bounded": _uses(User, "boundary_id", "account_id"),
        "roles_bounded": _uses(Role, "boundary_id", "account_id"),
        **trust.BY_ID,
    }
)


class Hanging:
    """All that hangs on the rows of a page."""

    def __init__(self, account_id: str, page: MixedPage) -> None:
        documents = [row["document"] for row in page.of("Role")]
        found = _HANGING.rows(
            account_id=account_id,
            user=_keys(page, "User"),
            group=_keys(page, "Group"),
            role=_keys(page, "Role"),
            policy=_keys(page, *POLICIES),
            ids=sorted(trust.ids_in(documents)),
        )
        self._lists = {name: by_first(rows) for name, rows in found.items() if name not in trust.BY_ID}
        shown = trust.shown_with(documents, trust.arns_of(found))
        self._trusts: dict[str, str] = dict(zip(documents, shown, strict=True))

    def on(self, row: Mapping[str, Any], name: str) -> Rows:
        return self._lists[name].get(row["pk"], [])

    def uses(self, row: Mapping[str, Any], *names: str) -> int:
        """How often the account uses a policy, in all of these ways."""
        return sum(number for name in names for (number,) in self.on(row, name))

    def trust_of(self, row: Mapping[str, Any]) -> str:
        """A role's trust policy as people read it."""
        return self._trusts[row["document"]]


def _keys(page: MixedPage, *names: str) -> list[int]:
    return [row["pk"] for row in page.of(*names)]
