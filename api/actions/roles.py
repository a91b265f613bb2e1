from collections.abc import Iterable

from api import context, describe, listed
from api.registry import Call, Result, action
from api.targets import attachable_arn, found_role, role
from database.prefetch import related_rows, set_prefetched
from identities.models import Role, RoleTag
from identities.services import roles
from identities.services.trust import shown_trust, shown_trusts


@action("iam:CreateRole", resource="role{Path}{RoleName}", context=context.new_holder)
def create_role(call: Call) -> Result:
    """Tags decide what their bearer may do, so a role is born with them only by somebody who may tag it."""
    if tags := call.tags:
        call.gate.require("iam:TagRole", call.target.arn, context.tags_of_new_role(call))
    row = roles.create_role(
        by=call.principal,
        name=call["RoleName"],
        trust=call["AssumeRolePolicyDocument"],
        path=call.get("Path", "/"),
        description=call.get("Description", ""),
        max_session_seconds=call.get("MaxSessionDuration", roles.SHORTEST_SESSION),
        tags=tags,
        boundary=attachable_arn(call, "PermissionsBoundary") if "PermissionsBoundary" in call else None,
    )
    set_prefetched(row, "tags", [RoleTag(role=row, key=key, value=value) for key, value in tags.items()])
    made = describe.role_in_full(row, row.shown_document)
    made.pop("RoleLastUsed")
    return {"Role": made}


def described(row: Role) -> dict[str, object]:
    return describe.role_in_full(row, shown_trust(row.document))


@action("iam:GetRole", resource=role, context=context.present_boundary)
def get_role(call: Call) -> Result:
    return {"Role": described(found_role(call))}


@action("iam:ListRoles", resource="*")
def list_roles(call: Call) -> Result:
    page = call.table(listed.ROLES)
    return {"Roles": page.rows.converted("AssumeRolePolicyDocument", shown_documents), **page.fields}


def shown_documents(stored: Iterable[str]) -> list[str]:
    """Most roles of a list have one of a few trust policies: each is encoded once."""
    shown = shown_trusts(stored)
    encoded = {text: describe.document(text) for text in set(shown)}
    return [encoded[text] for text in shown]


@action("iam:UpdateRole", resource=role, context=context.present_boundary)
def update_role(call: Call) -> Result:
    roles.update_role(
        by=call.principal,
        role=found_role(call),
        description=call.get("Description"),
        max_session_seconds=call.get("MaxSessionDuration"),
    )
    return {}


@action("iam:UpdateRoleDescription", resource=role, context=context.present_boundary)
def update_role_description(call: Call) -> Result:
    row = roles.update_role_description(by=call.principal, role=found_role(call), description=call["Description"])
    return {"Role": described(row)}


@action("iam:UpdateAssumeRolePolicy", resource=role, context=context.present_boundary)
def update_assume_role_policy(call: Call) -> None:
    roles.update_assume_role_policy(by=call.principal, role=found_role(call), document=call["PolicyDocument"])


@action("iam:DeleteRole", resource=role, context=context.present_boundary)
def delete_role(call: Call) -> None:
    roles.delete_role(by=call.principal, role=found_role(call))


@action("iam:TagRole", resource=role, context=context.tags_of_holder)
def tag_role(call: Call) -> None:
    roles.tag_role(by=call.principal, role=found_role(call), tags=call.tags)


@action("iam:UntagRole", resource=role, context=context.removed_tags_of_holder)
def untag_role(call: Call) -> None:
    roles.untag_role(by=call.principal, role=found_role(call), keys=call["TagKeys"])


@action("iam:ListRoleTags", resource=role)
def list_role_tags(call: Call) -> Result:
    page = call.page_of(describe.tags((tag.key, tag.value) for tag in related_rows(found_role(call), "tags")))
    return {"Tags": page.items, **page.fields}
