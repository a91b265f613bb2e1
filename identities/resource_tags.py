"""The condition keys that a user, role or instance profile brings along when somebody acts on it."""

from audit.prepared import at_hand
from identities.models import InstanceProfile, Role, User


def resource_tags(row: User | Role | InstanceProfile) -> dict[str, str]:
    """Tags of what is acted on, as `aws:ResourceTag/…` and `iam:ResourceTag/…`."""
    tags = {tag.key: tag.value for tag in at_hand(row, "tags")}
    return {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "iam")}
