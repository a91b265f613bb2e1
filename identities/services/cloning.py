"""Copying permissions: what a user has, item by item, and giving chosen items to another user.

As AWS's console does: group memberships, attached policies, inline policies, the boundary; never tags or credentials.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction

from audit.errors import ConcurrentModification, ServiceError
from audit.principal import Principal
from audit.services import record
from identities.models import Role, User
from identities.models.lockdowns import LOCKDOWN_SLOT
from identities.services.grants import BoundaryItem, GroupItem, InlineItem, Item, PolicyItem

# What one must be allowed to read of a user before one may copy from it.
READ_ACTIONS = (
    "iam:GetUser",
    "iam:ListGroupsForUser",
    "iam:ListAttachedUserPolicies",
    "iam:ListUserPolicies",
    "iam:GetUserPolicy",
)
COPY = "iamconsole:CopyPermissions"
ORDER = ("boundary", "group", "policy", "inline")


@dataclass(frozen=True, slots=True)
class Held:
    """What a user has already, to mark in a list of items."""

    keys: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def has(self, item: Item) -> bool:
        return item.key in self.keys

    def would_replace(self, item: Item) -> bool:
        """Another inline policy of the same name, or another boundary, would go."""
        return item.key not in self.keys and item.place in self.places


def items_of(user: User) -> list[Item]:
    """All permissions of a user in the order in which they are given: the boundary first, so it limits the rest."""
    items: list[Item] = [BoundaryItem(user.boundary)] if user.boundary else []
    memberships = user.memberships.select_related("group").order_by("group__name_key")
    items += [GroupItem(membership.group) for membership in memberships]
    given = user.attachments.exclude(slot=LOCKDOWN_SLOT)
    attachments = given.select_related("policy").order_by("policy__name_key")
    items += [PolicyItem(attachment.policy) for attachment in attachments]
    return items + [InlineItem(inline) for inline in user.inline_policies.order_by("name")]


def held_by(user: User) -> Held:
    items = items_of(user)
    return Held(frozenset(item.key for item in items), frozenset(item.place for item in items))


def chosen_items(items: Iterable[Item], keys: Collection[str]) -> list[Item]:
    """The items with these keys. Raises ConcurrentModification when one of them is not there (any more)."""
    chosen = [item for item in items if item.key in keys]
    if len(chosen) < len(set(keys)):
        raise ConcurrentModification(
            "The permissions of the user you copy from have changed since you looked. Look at the list again."
        )
    return chosen


@transaction.atomic
def give_items(*, by: Principal, holder: User | Role, items: Iterable[Item]) -> None:
    """Give a user or a role items, all or none. An error says which item it is about.

    Always in one order: two who give the same policies must not wait for each other's locks.
    """
    for item in sorted(items, key=lambda item: (ORDER.index(item.kind), item.key)):
        try:
            item.give(by=by, holder=holder)
        except ServiceError as error:
            error.message = f"“{item.name}” could not be given: {error.message}"
            raise


@transaction.atomic
def clone_user(*, by: Principal, source: User, target: User, items: Iterable[Item]) -> None:
    """Copy chosen permissions of one user to another. What the caller may give is asked at the door, item by item.

    Raises what the services of the items raise: LimitExceeded, NoSuchEntity, …
    """
    items = list(items)
    give_items(by=by, holder=target, items=items)
    record(by, COPY, target.arn, source=source.arn, items=[item.key for item in items])
