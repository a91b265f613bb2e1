"""Tags of providers: as those of users, but with keys that are compared exactly."""

from collections.abc import Iterable, Mapping

from accounts import rules
from audit.errors import InvalidInput, LimitExceeded
from federation.models import OIDCProvider, OIDCProviderTag, SAMLProvider, SAMLProviderTag

Provider = SAMLProvider | OIDCProvider


def check_tags(tags: Mapping[str, str], quota: int) -> None:
    """Raises InvalidInput for the first bad one, LimitExceeded for too many."""
    if problem := next((problem for key, value in tags.items() if (problem := rules.tag_problem(key, value))), ""):
        raise InvalidInput(problem, field="key")
    if len(tags) > quota:
        raise LimitExceeded(f"Cannot exceed quota for TagsPerResource: {quota}")


def tags_of(provider: Provider) -> dict[str, str]:
    tags: Iterable[SAMLProviderTag | OIDCProviderTag] = provider.tags.all()
    return dict(sorted((tag.key, tag.value) for tag in tags))


def resource_tags(provider: Provider) -> dict[str, str]:
    """The condition keys that the provider brings along when somebody acts on it."""
    return {
        f"{prefix}:ResourceTag/{key}": value for key, value in tags_of(provider).items() for prefix in ("aws", "iam")
    }


def add(provider: Provider, tags: Mapping[str, str]) -> None:
    """Add tags or change their values, within the quota."""
    check_tags({**tags_of(provider), **tags}, provider.account.quota("tags"))
    for key, value in tags.items():
        provider.tags.update_or_create(key=key, defaults={"value": value})


def remove(provider: Provider, keys: Iterable[str]) -> None:
    provider.tags.filter(key__in=list(keys)).delete()
