"""Tags of providers: as those of users, but with keys that are compared exactly."""

from collections.abc import Iterable, Mapping
from typing import Any

from accounts import rules
from accounts.tags import iam_resource_tag_keys
from audit.errors import InvalidInput, LimitExceeded
from database.prefetch import related_rows
from federation.models import OIDCProvider, OIDCProviderTag, SAMLProvider, SAMLProviderTag

Provider = SAMLProvider | OIDCProvider
BeforeAndAfter = tuple[dict[str, str], dict[str, str]]


def check_tags(tags: Mapping[str, str], quota: int) -> None:
    """Raises InvalidInput for the first bad one, LimitExceeded for too many."""
    if problem := next((problem for key, value in tags.items() if (problem := rules.tag_problem(key, value))), ""):
        raise InvalidInput(problem, field="key")
    if len(tags) > quota:
        raise LimitExceeded(f"Cannot exceed quota for TagsPerResource: {quota}")


def tags_of(provider: Provider) -> dict[str, str]:
    tags: Iterable[SAMLProviderTag | OIDCProviderTag] = related_rows(provider, "tags")
    return dict(sorted((tag.key, tag.value) for tag in tags))


def resource_tags(provider: Provider) -> dict[str, str]:
    """The condition keys that the provider brings along when somebody acts on it."""
    return iam_resource_tag_keys(tags_of(provider))


def add(provider: Provider, tags: Mapping[str, str]) -> BeforeAndAfter:
    """Add tags or change their values, within the quota; returns the table before and after."""
    before = tags_of(provider)
    after = dict(sorted({**before, **tags}.items()))
    check_tags(after, provider.account.quota("tags"))
    write(provider, tags)
    return before, after


def write(provider: Provider, tags: Mapping[str, str]) -> None:
    """Store tags that have been checked, in one statement."""
    rows: Any = provider.tags
    rows.bulk_create(
        [rows.model(provider=provider, key=key, value=value) for key, value in tags.items()],
        update_conflicts=True,
        unique_fields=["provider", "key"],
        update_fields=["value"],
    )


def remove(provider: Provider, keys: Iterable[str]) -> BeforeAndAfter:
    """One that is not there is no error; returns the table before and after."""
    before, gone = tags_of(provider), set(keys)
    provider.tags.filter(key__in=gone).delete()
    return before, {key: value for key, value in before.items() if key not in gone}
