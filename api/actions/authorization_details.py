from collections.abc import Sequence

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from api import describe_details
from api.actions.policies import described
from api.paging import Section
from api.registry import Call, Result, action
from identities.models import Group, GroupAttachment, Membership, Role, RoleAttachment, User, UserAttachment
from policies.models import ManagedPolicy

_POLICY_KINDS = ("LocalManagedPolicy", "AWSManagedPolicy")


@action("iam:GetAccountAuthorizationDetails", resource="*")
@transaction.atomic
def get_account_authorization_details(call: Call) -> Result:
    """One list of four kinds of things, page by page: users, groups, roles, policies."""
    wanted = call.get("Filter") or list(_SECTIONS)
    page = call.page_through([Section(kind, _SECTIONS[kind](call), "name_key") for kind in _SECTIONS if kind in wanted])
    return {
        "UserDetailList": [describe_details.user(row) for row in page.of("User")],
        "GroupDetailList": [describe_details.group(row) for row in page.of("Group")],
        "RoleDetailList": describe_details.roles(page.of("Role")),
        "Policies": _policies(call, [row for kind in _POLICY_KINDS for row in page.of(kind)]),
        **page.fields,
    }


def _policies(call: Call, rows: Sequence[ManagedPolicy]) -> list[dict[str, object]]:
    listed = described(call, rows)
    return [describe_details.policy(row, fields) for row, fields in zip(rows, listed, strict=True)]


def _users(call: Call) -> QuerySet[User]:
    rows = User.objects.filter(account_id=call.account_id).select_related("boundary")
    in_groups = Prefetch("memberships", Membership.objects.select_related("group"))
    return rows.prefetch_related("tags", "inline_policies", _attached(UserAttachment), in_groups)


def _groups(call: Call) -> QuerySet[Group]:
    rows = Group.objects.filter(account_id=call.account_id)
    return rows.prefetch_related("inline_policies", _attached(GroupAttachment))


def _roles(call: Call) -> QuerySet[Role]:
    rows = Role.objects.filter(account_id=call.account_id).select_related("boundary")
    return rows.prefetch_related("tags", "inline_policies", _attached(RoleAttachment), "instance_profiles")


def _attached(kind: type[UserAttachment] | type[GroupAttachment] | type[RoleAttachment]) -> "Prefetch[str]":
    return Prefetch("attachments", kind._default_manager.select_related("policy"))


def _own_policies(call: Call) -> QuerySet[ManagedPolicy]:
    return ManagedPolicy.objects.filter(account_id=call.account_id).prefetch_related("versions")


def _built_in_policies(call: Call) -> QuerySet[ManagedPolicy]:
    """Those that something in the account uses, as AWS tells them."""
    uses = ("user_attachments__user", "group_attachments__group", "role_attachments__role")
    used = Q(bounded_users__account_id=call.account_id) | Q(bounded_roles__account_id=call.account_id)
    for relation in uses:
        used |= Q(**{f"{relation}__account_id": call.account_id})
    ids = ManagedPolicy.objects.filter(used, account_id=None).values("pk")
    return ManagedPolicy.objects.filter(pk__in=ids).prefetch_related("versions")


_SECTIONS = {
    "User": _users,
    "Group": _groups,
    "Role": _roles,
    "LocalManagedPolicy": _own_policies,
    "AWSManagedPolicy": _built_in_policies,
}
