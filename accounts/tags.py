"""Tags of everything but users and roles: their keys are compared exactly (user guide, id_tags)."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from django.db import models
from django.db.models import F, QuerySet

from accounts import rules
from audit.errors import InvalidInput, LimitExceeded
from database.prefetch import set_prefetched
from database.returning import delete_returning

Row = TypeVar("Row", bound=models.Model)


class Tag(models.Model):
    """One tag. A model below adds what bears it, as `bearer`, with `tags` for the way back, and a constraint on both
    columns: one value per key."""

    key = models.CharField(max_length=128)
    value = models.CharField(max_length=256, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


def check_tags(tags: Mapping[str, str], quota: int) -> None:
    """What a new thing is to be born with. Raises InvalidInput."""
    if problem := rules.tags_problem(tags, quota, ignore_case=False):
        raise InvalidInput(problem, field="tags")


def put_tags(bearer: Any, tags: Mapping[str, str], quota: int, *, quota_name: str) -> tuple[dict[str, str], ...]:
    """Add tags or change their values; returns the table before and after. Whoever calls this holds the bearer's lock.

    Raises InvalidInput for a bad tag, LimitExceeded for more than the quota.
    """
    check_tags(tags, quota)
    before = tags_of(bearer)
    after = {**before, **tags}
    if len(after) > quota:
        raise LimitExceeded(f"Cannot exceed quota for {quota_name}: {quota}")
    bearer.tags.bulk_create(
        [bearer.tags.model(bearer=bearer, key=key, value=value) for key, value in tags.items()],
        update_conflicts=True,
        unique_fields=["bearer", "key"],
        update_fields=["value"],
    )
    return before, after


def drop_tags(bearer: Any, keys: Iterable[str]) -> tuple[dict[str, str], ...]:
    """Remove tags by key; one that is not there is no error, as in AWS. Returns the table before and after."""
    before, gone = tags_of(bearer), set(keys)
    bearer.tags.filter(key__in=gone).delete()
    return before, {key: value for key, value in before.items() if key not in gone}


def tags_of(bearer: Any) -> dict[str, str]:
    return dict(bearer.tags.order_by("key").values_list("key", "value"))


def delete_tags(bearer: Any) -> dict[str, str]:
    """Delete all tags of something that is being deleted; returns them for the audit trail."""
    return dict(sorted(delete_returning(bearer.tags.all(), "key", "value")))


def resource_tag_keys(tags: Mapping[str, str]) -> dict[str, str]:
    """The condition keys of the tags of what is acted on (service authorization reference)."""
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def iam_resource_tag_keys(tags: Mapping[str, str]) -> dict[str, str]:
    """Of users, roles, instance profiles and providers, whose tags are also asked about as `iam:ResourceTag/…`."""
    return {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "iam")}


def request_tag_keys(tags: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    """The condition keys of the tags that a request brings."""
    values: dict[str, str | tuple[str, ...]] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    return values | {"aws:TagKeys": tuple(tags)} if tags else {}


def first_with_prefetched_tags(rows: QuerySet[Row]) -> Row | None:
    """The one row of a queryset, with its tags prefetched, in one query."""
    row, tags = first_with_tags(rows)
    if row is not None:
        relation: Any = row._meta.get_field("tags")
        owner = {relation.remote_field.name: row}
        set_prefetched(row, "tags", [relation.related_model(**owner, key=key, value=tags[key]) for key in tags])
    return row


def first_with_tags(rows: QuerySet[Row], tags_of: str = "tags") -> tuple[Row | None, dict[str, str]]:
    """The one row of a queryset and its tags, in one query: asking for a thing's tags is part of every decision.
    `tags_of` leads to those of what the row belongs to, where it has none itself."""
    found: list[Any] = list(rows.annotate(_tag_key=F(f"{tags_of}__key"), _tag_value=F(f"{tags_of}__value")))
    tags = {row._tag_key: row._tag_value for row in found if row._tag_key is not None}
    return (found[0], tags) if found else (None, {})
