"""The condition keys that a user brings along when somebody acts on it."""

from identities.models import User


def resource_tags(user: User) -> dict[str, str]:
    """Tags of the user acted on, as `aws:ResourceTag/…` and `iam:ResourceTag/…`."""
    tags = {tag.key: tag.value for tag in user.tags.all()}
    return {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "iam")}
