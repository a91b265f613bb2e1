"""Policies written into one user or group. Their quota is a sum over the owner, white space not counted."""

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
from identities.models import Group, GroupInlinePolicy, User, UserInlinePolicy
from identities.services.locks import locked_group, locked_user
from policies.documents import check_document
from policies.engine import size

NAME_LIMIT = 128

Inline = TypeVar("Inline", UserInlinePolicy, GroupInlinePolicy)


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
    present = user.inline_policies.filter(name=name).first()
    _check(name, document, present, digest_seen)
    limit = user.account.quota("inline_user_characters")
    _check_total(user.inline_policies.exclude(name=name), document, limit, f"user {user.name}")
    row = present or UserInlinePolicy(user=user, name=name)
    before = _write(row, document)
    record(by, "iam:PutUserPolicy", user.arn, policy=name, before=before, after=document)
    return row


@transaction.atomic
def delete_user_policy(*, by: Principal, user: User, name: str) -> None:
    """Delete an inline policy of a user. Raises NoSuchEntity."""
    row = user.inline_policies.filter(name=name).first()
    if row is None:
        raise NoSuchEntity(f"The user policy with name {name} cannot be found.")
    row.delete()
    record(by, "iam:DeleteUserPolicy", user.arn, policy=name, before=row.document)


@transaction.atomic
def put_group_policy(
    *, by: Principal, group: Group, name: str, document: str, digest_seen: str | None = None
) -> GroupInlinePolicy:
    """Write an inline policy of a group, as `put_user_policy` does for a user."""
    group = locked_group(group)
    present = group.inline_policies.filter(name=name).first()
    _check(name, document, present, digest_seen)
    limit = group.account.quota("inline_group_characters")
    _check_total(group.inline_policies.exclude(name=name), document, limit, f"group {group.name}")
    row = present or GroupInlinePolicy(group=group, name=name)
    before = _write(row, document)
    record(by, "iam:PutGroupPolicy", group.arn, policy=name, before=before, after=document)
    return row


@transaction.atomic
def delete_group_policy(*, by: Principal, group: Group, name: str) -> None:
    """Delete an inline policy of a group. Raises NoSuchEntity."""
    row = group.inline_policies.filter(name=name).first()
    if row is None:
        raise NoSuchEntity(f"The group policy with name {name} cannot be found.")
    row.delete()
    record(by, "iam:DeleteGroupPolicy", group.arn, policy=name, before=row.document)


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


def _check_total(others: models.QuerySet[Inline], document: str, limit: int, owner: str) -> None:
    present = sum(size(text) for text in others.values_list("document", flat=True))
    total = present + size(document)
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
