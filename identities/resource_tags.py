"""The condition keys that a user, role or instance profile brings along when somebody acts on it."""

from collections.abc import Iterable

from accounts.tags import iam_resource_tag_keys
from database.prefetch import related_rows
from identities.models import InstanceProfile, Role, User
from policies.engine.catalog import BUILT_IN

_BOUNDARY = "iam:PermissionsBoundary"


def resource_tags(row: User | Role | InstanceProfile) -> dict[str, str]:
    """Tags of what is acted on, as `aws:ResourceTag/…` and `iam:ResourceTag/…`."""
    return iam_resource_tag_keys({tag.key: tag.value for tag in related_rows(row, "tags")})


def boundary_key(row: object, action: str) -> dict[str, str]:
    """The boundary that limits a user or a role, for an action that knows it: to no other question is it brought, or
    who may do anything with what is bounded might do more than was meant."""
    known = BUILT_IN.action(action)
    if known is None or _BOUNDARY not in known.condition_keys or not isinstance(row, User | Role):
        return {}
    return {_BOUNDARY: row.boundary.arn} if row.boundary else {}


def service_key(service: str) -> dict[str, str]:
    """For which service a credential is that is made or changed."""
    return {"iam:ServiceSpecificCredentialServiceName": service}


def keys_of(row: User | Role, action: str) -> dict[str, str]:
    """All that a user or a role brings to the question whether an action may be done to it."""
    return {**resource_tags(row), **boundary_key(row, action)}


def touched_keys(row: User | Role, keys: Iterable[str]) -> tuple[str, ...]:
    """`aws:TagKeys` of a change of tags: the keys as they were given, and as the row has them. Here they are the same
    in whatever case, while a policy that keeps somebody from touching a tag names it in one."""
    given = tuple(keys)
    folded = {key.casefold() for key in given}
    return tuple(
        dict.fromkeys((*given, *(tag.key for tag in related_rows(row, "tags") if tag.key.casefold() in folded)))
    )
