"""The one statement that reads what a caller may do: the documents of a user and its groups, or of a role, with
boundary and session policies, by digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from audit.prepared import prepared_cursor
from identities.models import (
    GroupAttachment,
    GroupInlinePolicy,
    Role,
    RoleAttachment,
    RoleInlinePolicy,
    User,
    UserAttachment,
    UserInlinePolicy,
)
from identities.models.groups import group_arn
from identities.models.roles import role_arn
from identities.models.users import user_arn
from policies.models import PolicyVersion, policy_arn

# Stand for the caller and the session policies in the statement; never unique ids, which have no colon.
_CALLER, _SESSION_POLICY = "caller:", "policy:{}"
_ARNS = {"user": user_arn, "group": group_arn, "role": role_arn}


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One document that has a say: its layer, what it is called, through whom it applies, its digest."""

    layer: str
    source: str
    origin: str
    digest: str


def policy_rows(unique_id: str, account_id: str, session_policies: Sequence[str] = ()) -> list[PolicyRow]:
    """The documents of a user (AIDA…) or role (AROA…), and the managed ones that limit its session."""
    kind = {"AROA": "role", "AIDA": "user"}.get(unique_id[:4], "")
    sql, parameters = _query(connection.vendor, kind, len(session_policies))
    values = {_CALLER: unique_id, **{_SESSION_POLICY.format(n): each for n, each in enumerate(session_policies)}}
    with prepared_cursor() as cursor:
        cursor.execute(sql, [values.get(each, each) for each in parameters])
        rows = cursor.fetchall()
    return [_row(account_id, *row) for row in rows]


def _row(
    account_id: str, layer: str, kind: str, owner_path: str, owner: str, account: str, path: str, name: str, digest: str
) -> PolicyRow:
    """An inline policy has no path."""
    source = policy_arn(account or None, path, name) if path else name
    origin = _ARNS[kind](account_id, owner_path, owner) if kind in _ARNS else ""
    return PolicyRow(layer, source, origin, digest)


@cache
def _query(vendor: str, kind: str, session_policies: int) -> tuple[str, tuple[Any, ...]]:
    """The statement, written by the ORM once per process: writing it anew cost ten times as much as running it."""
    queries = {"user": _of_user, "role": _of_role}[kind]() if kind else []
    if session_policies:
        queries.append(_session([_SESSION_POLICY.format(number) for number in range(session_policies)]))
    return queries[0].union(*queries[1:], all=True).query.sql_with_params()


def _of_user() -> list[QuerySet[Any, Any]]:
    in_group = {"group__memberships__user__unique_id": _CALLER}
    default = {"policy__versions__is_default": True}
    return [
        _attached(UserAttachment.objects.filter(user__unique_id=_CALLER, **default), "user"),
        _attached(GroupAttachment.objects.filter(**in_group, **default), "group"),
        _inline(UserInlinePolicy.objects.filter(user__unique_id=_CALLER), "user"),
        _inline(GroupInlinePolicy.objects.filter(**in_group), "group"),
        _boundary(User.objects.filter(unique_id=_CALLER, boundary__isnull=False), "user"),
    ]


def _of_role() -> list[QuerySet[Any, Any]]:
    attached = RoleAttachment.objects.filter(role__unique_id=_CALLER, policy__versions__is_default=True)
    return [
        _attached(attached, "role"),
        _inline(RoleInlinePolicy.objects.filter(role__unique_id=_CALLER), "role"),
        _boundary(Role.objects.filter(unique_id=_CALLER, boundary__isnull=False), "role"),
    ]


def _attached(rows: QuerySet[Any], kind: str) -> QuerySet[Any, Any]:
    return rows.values_list(
        Value("identity"),
        Value(kind),
        f"{kind}__path",
        f"{kind}__name",
        Concat("policy__account_id", Value("")),
        "policy__path",
        "policy__name",
        "policy__versions__digest",
    )


def _inline(rows: QuerySet[Any], kind: str) -> QuerySet[Any, Any]:
    return rows.values_list(
        Value("identity"), Value(kind), f"{kind}__path", f"{kind}__name", Value(""), Value(""), F("name"), F("digest")
    )


def _boundary(holders: QuerySet[Any], kind: str) -> QuerySet[Any, Any]:
    """A boundary whose document can't be found limits to nothing: its row is there, and its digest is unknown."""
    document = PolicyVersion.objects.filter(policy=OuterRef("boundary"), is_default=True).values("digest")[:1]
    return holders.values_list(
        Value("boundary"),
        Value(kind),
        "path",
        "name",
        Concat("boundary__account_id", Value("")),
        "boundary__path",
        "boundary__name",
        Coalesce(Subquery(document), Value("")),
    )


def _session(unique_ids: list[str]) -> QuerySet[Any, Any]:
    """A policy that has been deleted since allows nothing any more: there is no row for it."""
    rows = PolicyVersion.objects.filter(is_default=True, policy__unique_id__in=unique_ids)
    return rows.values_list(
        Value("session"),
        Value(""),
        Value(""),
        Value(""),
        Concat("policy__account_id", Value("")),
        "policy__path",
        "policy__name",
        "digest",
    )


def texts_of(digests: set[str]) -> dict[str, str]:
    """The documents behind digests that nobody has compiled yet."""
    models = (PolicyVersion, UserInlinePolicy, GroupInlinePolicy, RoleInlinePolicy)
    return {
        digest: text
        for model in models
        for digest, text in model.objects.filter(digest__in=digests).values_list("digest", "document")
    }
