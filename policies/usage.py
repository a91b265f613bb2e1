"""How often policies are used in one account, by the relations that point here from above."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count

from policies.models import ManagedPolicy


@dataclass(frozen=True, slots=True)
class Uses:
    """A built-in policy may be used in other accounts too; those are not counted."""

    users: int = 0
    groups: int = 0
    boundaries: int = 0

    @property
    def attachments(self) -> int:
        return self.users + self.groups

    @property
    def total(self) -> int:
        return self.users + self.groups + self.boundaries


_RELATIONS = {
    "users": "user_attachments__user__account_id",
    "groups": "group_attachments__group__account_id",
    "boundaries": "bounded_users__account_id",
}


def uses_of(ids: Collection[int], account_id: str) -> dict[int, Uses]:
    """Three queries, however many policies."""
    counted: dict[str, dict[int, int]] = {}
    for kind, account_of in _RELATIONS.items():
        rows = ManagedPolicy.objects.filter(pk__in=ids, **{account_of: account_id})
        counted[kind] = dict(rows.order_by().values_list("pk").annotate(uses=Count("pk")))
    return {pk: Uses(**{kind: counts.get(pk, 0) for kind, counts in counted.items()}) for pk in ids}


def uses(policy: ManagedPolicy, account_id: str) -> Uses:
    return uses_of([policy.pk], account_id)[policy.pk]
