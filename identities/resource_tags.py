"""The condition keys that a user, role or instance profile brings along when somebody acts on it."""

from collections.abc import Iterable, Mapping

from database.prefetch import related_rows
from identities.models import InstanceProfile, Role, User


def resource_tags(row: User | Role | InstanceProfile) -> dict[str, str]:
    """Tags of what is acted on, as `aws:ResourceTag/…` and `iam:ResourceTag/…`."""
    return tag_keys({tag.key: tag.value for tag in related_rows(row, "tags")})


def touched_keys(row: User | Role, keys: Iterable[str]) -> tuple[str, ...]:
    """`aws:TagKeys` of a change of tags: the keys as they were given, and as the row has them. Here they are the same
    in whatever case, while a policy that keeps somebody from touching a tag names it in one."""
    given = tuple(keys)
    folded = {key.casefold() for key in given}
    return tuple(
        dict.fromkeys((*given, *(tag.key for tag in related_rows(row, "tags") if tag.key.casefold() in folded)))
    )


def tag_keys(tags: Mapping[str, str]) -> dict[str, str]:
    """The same of tags that were read before."""
    return {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "iam")}
