from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat

from api import context, describe
from api.registry import Call, Result, action
from api.targets import exact_tags, found_policy, policy
from audit.errors import NoSuchEntity
from identities.models import Group, GroupAttachment, Role, RoleAttachment, User, UserAttachment
from policies import services
from policies.models import AWS, ManagedPolicy, PolicyVersion


def described(call: Call, rows: Iterable[ManagedPolicy]) -> list[dict[str, object]]:
    """Policies with how often this account attaches them; a built-in one may be used by others, which is not told."""
    rows = list(rows)
    attached, bounding = _attached(call), _bounding(call)
    counted = ManagedPolicy.objects.filter(pk__in=[row.pk for row in rows])
    uses = {pk: counts for pk, *counts in counted.values_list("pk", attached, bounding, _default_version())}
    return [describe.managed_policy(row, *uses[row.pk]) for row in rows]


def _default_version() -> Subquery:
    """The number of the version that counts."""
    return Subquery(PolicyVersion.objects.filter(policy=OuterRef("pk"), is_default=True).values("number")[:1])


def _attached(call: Call) -> Combinable:
    """How often the account attaches a policy."""
    users = _uses(UserAttachment.objects.filter(user__account_id=call.account_id), "policy")
    groups = _uses(GroupAttachment.objects.filter(group__account_id=call.account_id), "policy")
    return users + groups + _uses(RoleAttachment.objects.filter(role__account_id=call.account_id), "policy")


def _bounding(call: Call) -> Combinable:
    """How many users and roles of the account a policy bounds."""
    users = _uses(User.objects.filter(account_id=call.account_id), "boundary")
    return users + _uses(Role.objects.filter(account_id=call.account_id), "boundary")


def _uses(rows: QuerySet, column: str) -> Coalesce:  # type: ignore[type-arg] # rows of five models
    of_policy = rows.filter(**{column: OuterRef("pk")}).order_by().values(column)
    return Coalesce(Subquery(of_policy.annotate(uses=Count("pk")).values("uses")), 0)


@action("iam:CreatePolicy", resource="policy{Path}{PolicyName}", context=context.request_tags)
def create_policy(call: Call) -> Result:
    tags = context.tags_at_birth(call, "iam:TagPolicy")
    row = services.create_policy(
        by=call.principal,
        name=call["PolicyName"],
        document=call["PolicyDocument"],
        path=call.get("Path", "/"),
        description=call.get("Description", ""),
        tags=tags,
    )
    # Nobody has attached it yet.
    return {"Policy": {**describe.managed_policy(row, 0, 0, 1), "Tags": describe.tags(tags.items()) or None}}


@action("iam:DeletePolicy", resource=policy)
def delete_policy(call: Call) -> None:
    services.delete_policy(by=call.principal, policy=found_policy(call))


@action("iam:CreatePolicyVersion", resource=policy)
def create_policy_version(call: Call) -> Result:
    row = services.create_policy_version(
        by=call.principal,
        policy=found_policy(call),
        document=call["PolicyDocument"],
        set_as_default=call.get("SetAsDefault", False),
    )
    return {"PolicyVersion": describe.policy_version(row)}


@action("iam:SetDefaultPolicyVersion", resource=policy)
def set_default_policy_version(call: Call) -> None:
    services.set_default_policy_version(by=call.principal, policy=found_policy(call), version=named_version(call))


@action("iam:DeletePolicyVersion", resource=policy)
def delete_policy_version(call: Call) -> None:
    services.delete_policy_version(by=call.principal, policy=found_policy(call), version=named_version(call))


@action("iam:GetPolicy", resource=policy)
def get_policy(call: Call) -> Result:
    row = found_policy(call)
    tags = describe.tags(call.target.tags.items())
    return {"Policy": {**described(call, [row])[0], "Description": row.description or None, "Tags": tags}}


@action("iam:TagPolicy", resource=policy, context=context.request_tags)
def tag_policy(call: Call) -> None:
    services.tag_policy(by=call.principal, policy=found_policy(call), tags=exact_tags(call))


@action("iam:UntagPolicy", resource=policy, context=context.removed_tags)
def untag_policy(call: Call) -> None:
    services.untag_policy(by=call.principal, policy=found_policy(call), keys=call["TagKeys"])


@action("iam:ListPolicyTags", resource=policy)
def list_policy_tags(call: Call) -> Result:
    found_policy(call)
    page = call.page_of(describe.tags(call.target.tags.items()))
    return {"Tags": page.items, **page.fields}


@action("iam:GetPolicyVersion", resource=policy)
def get_policy_version(call: Call) -> Result:
    row = found_version(call)
    return {"PolicyVersion": {**describe.policy_version(row), "Document": describe.document(row.document)}}


def found_version(call: Call) -> PolicyVersion:
    """The version that VersionId names. Raises NoSuchEntity."""
    row = found_policy(call).versions.filter(number=named_version(call).number).first()
    if row is None:
        raise _no_such_version(call)
    return row


def named_version(call: Call) -> PolicyVersion:
    """The same, not read yet: what changes a version looks it up under the policy's lock. Raises NoSuchEntity."""
    number = int(call["VersionId"][1:].partition(".")[0][:9])
    named = PolicyVersion(policy=found_policy(call), number=number)
    if named.version_id != call["VersionId"]:
        raise _no_such_version(call)
    return named


def _no_such_version(call: Call) -> NoSuchEntity:
    return NoSuchEntity(f"Policy {call['PolicyArn']} version {call['VersionId']} does not exist or is not attachable.")


@action("iam:ListPolicyVersions", resource=policy)
def list_policy_versions(call: Call) -> Result:
    page = call.page_of(list(found_policy(call).versions.order_by("-number")))
    return {"Versions": [describe.policy_version(row) for row in page.items], **page.fields}


@action("iam:ListPolicies", resource="*")
def list_policies(call: Call) -> Result:
    rows = ManagedPolicy.objects.visible_to(call.account_id).filter(call.under_path(), _in_scope(call), _used_as(call))
    # An own policy may have the name of a built-in one, so the name alone does not say where a page ended.
    in_order = rows.annotate(place=Concat("name_key", Value(" "), Coalesce("account_id", Value(AWS))))
    page = call.page(in_order, "place")
    return {"Policies": described(call, page.items), **page.fields}


def _in_scope(call: Call) -> Q:
    match call.get("Scope", "All"):
        case "AWS":
            return Q(account_id=None)
        case "Local":
            return Q(account_id=call.account_id)
        case _:
            return Q()


def _used_as(call: Call) -> Q:
    """OnlyAttached and PolicyUsageFilter, counted in this account."""
    attached = Q(Exists(UserAttachment.objects.filter(policy=OuterRef("pk"), user__account_id=call.account_id))) | Q(
        Exists(GroupAttachment.objects.filter(policy=OuterRef("pk"), group__account_id=call.account_id))
    )
    attached |= Q(Exists(RoleAttachment.objects.filter(policy=OuterRef("pk"), role__account_id=call.account_id)))
    bounding = Q(Exists(User.objects.filter(boundary=OuterRef("pk"), account_id=call.account_id)))
    bounding |= Q(Exists(Role.objects.filter(boundary=OuterRef("pk"), account_id=call.account_id)))
    match call.get("PolicyUsageFilter"), bool(call.get("OnlyAttached")):
        case "PermissionsPolicy", _:
            return attached
        case "PermissionsBoundary", _:
            return bounding
        case _, True:
            return attached | bounding
        case _:
            return Q()


@action("iam:ListEntitiesForPolicy", resource=policy)
def list_entities_for_policy(call: Call) -> Result:
    row = found_policy(call)
    found = [*_users_with(call, row), *_groups_with(call, row), *_roles_with(call, row)]
    page = call.page_of(found)
    return {
        "PolicyUsers": [describe.policy_user(item) for item in page.items if isinstance(item, User)],
        "PolicyGroups": [describe.policy_group(item) for item in page.items if isinstance(item, Group)],
        "PolicyRoles": [describe.policy_role(item) for item in page.items if isinstance(item, Role)],
        **page.fields,
    }


def _users_with(call: Call, row: ManagedPolicy) -> list[User]:
    if call.get("EntityFilter", "User") != "User":
        return []
    users = User.objects.filter(_used_for(call, row), call.under_path(), account_id=call.account_id)
    return list(users.distinct().order_by("name_key"))


def _roles_with(call: Call, row: ManagedPolicy) -> list[Role]:
    if call.get("EntityFilter", "Role") != "Role":
        return []
    roles = Role.objects.filter(_used_for(call, row), call.under_path(), account_id=call.account_id)
    return list(roles.distinct().order_by("name_key"))


def _used_for(call: Call, row: ManagedPolicy) -> Q:
    """As boundary, as permissions, or as either, whichever PolicyUsageFilter asks for."""
    as_boundary, as_permissions = Q(boundary=row), Q(attachments__policy=row)
    wanted = {"PermissionsBoundary": as_boundary, "PermissionsPolicy": as_permissions}
    return wanted.get(call.get("PolicyUsageFilter", ""), as_boundary | as_permissions)


def _groups_with(call: Call, row: ManagedPolicy) -> list[Group]:
    if call.get("EntityFilter", "Group") != "Group" or call.get("PolicyUsageFilter") == "PermissionsBoundary":
        return []
    groups = Group.objects.filter(call.under_path(), account_id=call.account_id, attachments__policy=row)
    return list(groups.order_by("name_key"))
