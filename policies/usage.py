"""How often policies are used in one account, by the relations that point here from above."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q

from policies.models import ManagedPolicy


@dataclass(frozen=True, slots=True)
class Uses:
    """A built-in policy may be used in other accounts too; those are not counted."""

    users: int = 0
    groups: int = 0
    roles: int = 0
    boundaries: int = 0
    role_boundaries: int = 0

    @property
    def attachments(self) -> int:
        return self.users + self.groups + self.roles

    @property
    def all_boundaries(self) -> int:
        return self.boundaries + self.role_boundaries

    @property
    def total(self) -> int:
        return self.attachments + self.all_boundaries


_ACCOUNT_OF = {
    "users": ("user_attachments", "user_attachments__user__account_id"),
    "groups": ("group_attachments", "group_attachments__group__account_id"),
    "roles": ("role_attachments", "role_attachments__role__account_id"),
    "boundaries": ("bounded_users", "bounded_users__account_id"),
    "role_boundaries": ("bounded_roles", "bounded_roles__account_id"),
}


def uses_of(policies: Mapping[int, str | None], account_id: str) -> dict[int, Uses]:
    """Uses by id of policies given with their account (None: built in). Ten queries, however many policies."""
    own = [pk for pk, owner in policies.items() if owner is not None]
    built_in = [pk for pk, owner in policies.items() if owner is None]
    counted: dict[str, dict[int, int]] = {}
    for kind, (relation, account_of) in _ACCOUNT_OF.items():
        # What uses an own policy is of the same account. Asking for the account there too would make the database
        # look at all users of the account for each policy.
        counted[kind] = _counts(own, relation, Q(**{f"{relation}__isnull": False}))
        counted[kind] |= _counts(built_in, relation, Q(**{account_of: account_id}))
    return {pk: Uses(**{kind: counts.get(pk, 0) for kind, counts in counted.items()}) for pk in policies}


def _counts(ids: list[int], relation: str, used: Q) -> dict[int, int]:
    rows = ManagedPolicy.objects.filter(used, pk__in=ids).order_by()
    return dict(rows.values_list("pk").annotate(uses=Count(relation)))


def uses(policy: ManagedPolicy, account_id: str) -> Uses:
    return uses_of({policy.pk: policy.account_id}, account_id)[policy.pk]
