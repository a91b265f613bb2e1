"""Policies written into one user, group or role. Their quota is a sum over the owner, white space not counted."""

from collections.abc import Iterable
from typing import TypeVar

from django.db import models, transaction

from accounts import rules
from audit import clock
from audit.errors import (
    ConcurrentModification,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from audit.principal import Principal
from audit.services import record
from identities.models import Group, GroupInlinePolicy, Role, RoleInlinePolicy, User, UserInlinePolicy
from identities.services.locks import locked_group, locked_own_role, locked_user
from policies.documents import check_document
from policies.engine import size

NAME_LIMIT = 128

Inline = TypeVar("Inline", UserInlinePolicy, GroupInlinePolicy, RoleInlinePolicy)


@transaction.atomic
def put_user_policy(
    *, by: Principal, user: User, name: str, document: str, digest_seen: str | None = None
) -> UserInlinePolicy:
    """Write an inline policy of a user, new or in the place of the one of that name.

    `digest_seen` is the digest of the document the author started from ('' for a new one); None does not ask.
    Raises ValidationError, DocumentRefused, LimitExceeded, NoSuchEntity, ConcurrentModification,
    and EntityAlreadyExists for a new one whose name is taken.
    """
    user = locked_user(user)
    row = UserInlinePolicy(user=user, name=name)
    return _put(by, user, row, user.inline_policies.all(), document, digest_seen)


@transaction.atomic
def delete_user_policy(*, by: Principal, user: User, name: str) -> None:
    """Delete an inline policy of a user. Raises NoSuchEntity."""
    _delete(by, user, user.inline_policies.filter(name=name).first(), name)


@transaction.atomic
def put_group_policy(
    *, by: Principal, group: Group, name: str, document: str, digest_seen: str | None = None
) -> GroupInlinePolicy:
    """Write an inline policy of a group, as `put_user_policy` does for a user."""
    group = locked_group(group)
    row = GroupInlinePolicy(group=group, name=name)
    return _put(by, group, row, group.inline_policies.all(), document, digest_seen)


@transaction.atomic
def delete_group_policy(*, by: Principal, group: Group, name: str) -> None:
    """Delete an inline policy of a group. Raises NoSuchEntity."""
    _delete(by, group, group.inline_policies.filter(name=name).first(), name)


@transaction.atomic
def put_role_policy(
    *, by: Principal, role: Role, name: str, document: str, digest_seen: str | None = None
) -> RoleInlinePolicy:
    """Write an inline policy of a role, as `put_user_policy` does for a user. Raises UnmodifiableEntity too."""
    role = locked_own_role(role)
    row = RoleInlinePolicy(role=role, name=name)
    return _put(by, role, row, role.inline_policies.all(), document, digest_seen)


@transaction.atomic
def delete_role_policy(*, by: Principal, role: Role, name: str) -> None:
    """Delete an inline policy of a role. Raises NoSuchEntity, UnmodifiableEntity."""
    role = locked_own_role(role)
    _delete(by, role, role.inline_policies.filter(name=name).first(), name)


def _put(
    by: Principal,
    holder: User | Group | Role,
    new: Inline,
    present: models.QuerySet[Inline],
    document: str,
    digest_seen: str | None,
) -> Inline:
    """`new` is the row to write where there is none of its name among those `present`."""
    kind, rows = type(holder).__name__, {row.name: row for row in present}
    row = rows.pop(new.name, None)
    _check(new.name, document, row, digest_seen)
    limit = holder.account.quota(f"inline_{kind.lower()}_characters")
    _check_total([other.document for other in rows.values()], document, limit, f"{kind.lower()} {holder.name}")
    row = row or new
    before = _write(row, document)
    record(by, f"iam:Put{kind}Policy", holder.arn, policy=row.name, before=before, after=document)
    return row


def _delete(by: Principal, holder: User | Group | Role, row: Inline | None, name: str) -> None:
    kind = type(holder).__name__
    if row is None:
        raise NoSuchEntity(f"The {kind.lower()} policy with name {name} cannot be found.")
    row.delete()
    record(by, f"iam:Delete{kind}Policy", holder.arn, policy=name, before=row.document)


def _check(name: str, document: str, present: Inline | None, digest_seen: str | None) -> None:
    if problem := rules.name_problem(name, NAME_LIMIT, "policy name"):
        raise ValidationError(problem, field="name")
    if digest_seen is not None:
        _check_fresh(name, present, digest_seen)
    check_document(document)


def _check_fresh(name: str, present: Inline | None, digest_seen: str) -> None:
    if present is None and digest_seen:
        raise ConcurrentModification(
            f"Somebody deleted the inline policy {name} while you were writing. What you typed is kept: "
            "copy it into a new inline policy if it is still wanted."
        )
    if present is not None and not digest_seen:
        message = f"There is an inline policy called {name} already: choose another name, or change that one."
        raise EntityAlreadyExists(message, field="name")
    if present is not None and present.digest != digest_seen:
        raise ConcurrentModification(
            f"Somebody changed the inline policy {name} while you were writing. What you typed is kept: "
            "look at the present one, then decide."
        )


def _check_total(others: Iterable[str], document: str, limit: int, owner: str) -> None:
    total = sum(size(text) for text in (*others, document))
    if total > limit:
        raise LimitExceeded(
            f"Maximum policy size of {limit} bytes exceeded for {owner}: all its inline policies together would have "
            f"{total} characters, white space not counted.",
            field="document",
        )


def _write(row: Inline, document: str) -> str | None:
    """Store the document; what was there before comes back, for the audit trail."""
    before = row.document or None
    row.document = document
    row.updated_at = clock.now()
    row.save()
    return before
