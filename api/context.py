"""The condition keys that a call brings along (service authorization reference, actions of IAM)."""

from accounts.tags import request_tag_keys, resource_tag_keys
from api.registry import Call, Context
from api.targets import exact_tags
from identities.models import Role, User
from identities.resource_tags import touched_keys
from identities.services.grants import Target as Grantee


def request_tags(call: Call) -> Context:
    return request_tag_keys({tag["Key"]: tag["Value"] for tag in call.get("Tags", [])})


def removed_tags(call: Call) -> Context:
    return {"aws:TagKeys": call["TagKeys"]} if call["TagKeys"] else {}


def tags_of_holder(call: Call) -> Context:
    """The tags that a user or a role is to have."""
    return {**request_tags(call), **_touched(call, [tag["Key"] for tag in call["Tags"]])}


def removed_tags_of_holder(call: Call) -> Context:
    return _touched(call, call["TagKeys"])


def _touched(call: Call, keys: list[str]) -> Context:
    row = call.target.row
    return {"aws:TagKeys": touched_keys(row, keys) if isinstance(row, User | Role) else keys} if keys else {}


def new_holder(call: Call) -> Context:
    return {**request_tag_keys(call.tags), **given_boundary(call)}


def tags_of_new_role(call: Call) -> Context:
    """The tags as they are asked for, and as those of the role that will bear them."""
    return {
        **request_tags(call),
        **Grantee(call.account_id, call["RoleName"], tags=call.tags, kind="Role").resource_tags,
    }


def tags_of_new_user(call: Call) -> Context:
    """The tags as they are asked for, and as those of the user that will bear them."""
    return {**request_tags(call), **Grantee(call.account_id, call["UserName"], tags=call.tags).resource_tags}


def tags_at_birth(call: Call, action: str) -> dict[str, str]:
    """The tags of something about to be made. They decide what may be done with it, so only who may tag it with them
    makes it with them. Raises AccessDenied."""
    tags = exact_tags(call)
    if tags:
        call.gate.require(action, call.target.arn, {**request_tag_keys(tags), **resource_tag_keys(tags)})
    return tags


def given_boundary(call: Call) -> Context:
    """The boundary that the call sets."""
    return {"iam:PermissionsBoundary": call["PermissionsBoundary"]} if "PermissionsBoundary" in call else {}


def present_boundary(call: Call) -> Context:
    """The boundary that limits the user or role whose permissions are changed."""
    row = call.target.row
    return Grantee.of(row).context() if isinstance(row, User | Role) else {}


def policy_for_holder(call: Call) -> Context:
    return {**present_boundary(call), **policy_arn(call)}


def policy_arn(call: Call) -> Context:
    return {"iam:PolicyARN": call["PolicyArn"]}
