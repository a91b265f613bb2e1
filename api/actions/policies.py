from collections.abc import Iterable

from django.db.models import Q, Value

from api import context, describe, listed, policy_uses
from api.registry import Call, Result, action
from api.targets import exact_tags, found_policy, policy
from audit.errors import NoSuchEntity
from identities.models import Group, Role, User
from policies import services
from policies.models import ManagedPolicy, PolicyVersion


def described(call: Call, rows: Iterable[ManagedPolicy]) -> list[dict[str, object]]:
    """Policies with how often this account attaches them; a built-in one may be used by others, which is not told."""
    rows = list(rows)
    uses = policy_uses.attachments(call.account_id), policy_uses.boundaries(call.account_id)
    counted = ManagedPolicy.objects.filter(pk__in=[row.pk for row in rows])
    found = {pk: counts for pk, *counts in counted.values_list("pk", *uses, policy_uses.default_version())}
    return [describe.managed_policy(row, *found[row.pk]) for row in rows]


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
    """The version that VersionId names, not read yet: what changes it looks it up under the policy's lock. Raises
    NoSuchEntity for what is no id of a version."""
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
    usage = call.get("PolicyUsageFilter") or ("Any" if call.get("OnlyAttached") else "")
    page = call.table(listed.policies(call.get("Scope", "All"), usage))
    return {"Policies": page.rows, **page.fields}


@action("iam:ListEntitiesForPolicy", resource=policy)
def list_entities_for_policy(call: Call) -> Result:
    page = call.page_of(_entities(call, found_policy(call)))
    members = {
        f"Policy{kind}s": [
            {f"{kind}Name": name, f"{kind}Id": unique_id} for of, _, name, unique_id in page.items if of == kind
        ]
        for kind in _KINDS
    }
    return {**members, **page.fields}


_KINDS = ("User", "Group", "Role")


def _entities(call: Call, row: ManagedPolicy) -> list[tuple[str, str, str, str]]:
    """Whoever has the policy, each once, in AWS's order, with kind, name in lower case, name and id."""
    under_path, used = Q(call.under_path(), account_id=call.account_id), _used_for(call, row)
    users, roles = User.objects.filter(under_path, used), Role.objects.filter(under_path, used)
    in_groups = call.get("PolicyUsageFilter") != "PermissionsBoundary"
    groups = Group.objects.filter(under_path, attachments__policy=row) if in_groups else Group.objects.none()
    wanted = [
        rows.values_list(Value(kind), "name_key", "name", "unique_id")
        for kind, rows in zip(_KINDS, (users, groups, roles), strict=True)
        if call.get("EntityFilter", kind) == kind
    ]
    found = set(wanted[0].union(*wanted[1:])) if wanted else set()
    return sorted(found, key=lambda each: (_KINDS.index(each[0]), each[1]))


def _used_for(call: Call, row: ManagedPolicy) -> Q:
    """As boundary, as permissions, or as either, whichever PolicyUsageFilter asks for."""
    as_boundary, as_permissions = Q(boundary=row), Q(attachments__policy=row)
    wanted = {"PermissionsBoundary": as_boundary, "PermissionsPolicy": as_permissions}
    return wanted.get(call.get("PolicyUsageFilter", ""), as_boundary | as_permissions)
