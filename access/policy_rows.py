"""What a caller may do, in one statement: the documents of a user and its groups, or of a role, with boundary and
session policies, by digest; and with a key or a session that signed a request, in the statement that reads those."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

from django.db.models import Exists, F, Model, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from database.prefetch import set_prefetched
from database.prepared import FetchedRow, Param, PreparedJoin, constants_inlined, fetch_all
from database.row_cache import RowCache
from identities.models import (
    AccessKey,
    GroupAttachment,
    GroupInlinePolicy,
    Lockdown,
    Role,
    RoleAttachment,
    RoleInlinePolicy,
    RoleTag,
    User,
    UserAttachment,
    UserInlinePolicy,
    UserTag,
)
from identities.models.groups import group_arn
from identities.models.roles import role_arn
from identities.models.users import user_arn
from policies.models import PolicyVersion, policy_arn

# Stand for the caller, who began the session, and the session policies; never unique ids, which have no colon.
_CALLER, _BEGINNER, _SESSION_POLICY = Param("caller:"), Param("beginner:"), "policy:{}"
_BY_KEY, _BY_ID = "access_keys", "unique_id"
_TAG = "tag"
_ARNS = {"user": user_arn, "group": group_arn, "role": role_arn}


Row = TypeVar("Row", bound=Model)


class PolicyRow(NamedTuple):
    """One document that has a say: its layer, what it is called, through whom it applies, its digest."""

    layer: str
    source: str
    origin: str
    digest: str


def policy_rows(unique_id: str, account_id: str, session_policies: Sequence[str] = ()) -> list[PolicyRow]:
    """The documents of a user (AIDA…) or role (AROA…), and the managed ones that limit its session."""
    kind = {"AROA": "role", "AIDA": "user"}.get(unique_id[:4], "")
    sql, parameters = _query(kind, len(session_policies))
    values = _values(unique_id, session_policies)
    return [_row(account_id, *row) for row in fetch_all(sql, [values.get(each, each) for each in parameters])]


@dataclass(frozen=True, slots=True)
class Caller(Generic[Row]):
    """Whose signature a request bears, with their tags, and the documents that say what they may do. Calls share it
    while the database tells the same of it, so that nobody changes it."""

    row: Row
    policies: tuple[PolicyRow, ...]


@dataclass(frozen=True, slots=True)
class CallingRole(Caller[Role]):
    """What is known of a lockdown of the user who began the session; also when that user is deleted."""

    is_beginner_locked_down: bool
    beginner_valid_from: datetime | None

    def beginner_ended(self, issued_at: datetime) -> bool:
        """Whether what was issued then is over, because that user is locked down or was since."""
        lifted_later = self.beginner_valid_from is not None and issued_at < self.beginner_valid_from
        return self.is_beginner_locked_down or lifted_later


def read_key_and_policies(access_key_id: str, session_policies: Sequence[str] = ()) -> Caller[AccessKey] | None:
    """A long-term key with its user. What limits a session made with it is read too."""
    fetched = _of_key(len(session_policies)).fetch(**_values(access_key_id, session_policies))
    return _KEYS.get((access_key_id, *session_policies), fetched) if fetched else None


def _key_and_policies(fetched: FetchedRow) -> Caller[AccessKey]:
    key = _of_key(0).row(fetched)
    tags, policies = _parted(key.account_id, fetched.related)
    if key.user is not None:
        made = (UserTag(user_id=key.user.pk, key=name, key_folded=name.casefold(), value=value) for name, value in tags)
        set_prefetched(key.user, "tags", made)
    return Caller(key, policies)


def read_role_and_policies(
    unique_id: str, session_policies: Sequence[str] = (), *, begun_by: str = ""
) -> CallingRole | None:
    """The role behind a session, which a user of that unique id began."""
    values = {**_values(unique_id, session_policies), _BEGINNER: begun_by}
    fetched = _of_session_role(len(session_policies)).fetch(**values)
    return _ROLES.get((unique_id, begun_by, *session_policies), fetched) if fetched else None


def _role_and_policies(fetched: FetchedRow) -> CallingRole:
    role = _of_session_role(0).row(fetched)
    tags, policies = _parted(role.account_id, fetched.related)
    made = (RoleTag(role_id=role.pk, key=name, key_folded=name.casefold(), value=value) for name, value in tags)
    set_prefetched(role, "tags", made)
    return CallingRole(role, policies, role.is_beginner_locked_down, role.beginner_valid_from)  # type: ignore[attr-defined] # annotated below


_KEYS, _ROLES = RowCache(_key_and_policies), RowCache(_role_and_policies)


def _parted(account_id: str, related: list[tuple[Any, ...]]) -> tuple[list[tuple[str, str]], tuple[PolicyRow, ...]]:
    """Tags by name, so that everybody shows them in the same order; and policies."""
    tags = sorted((row[-2], row[-1]) for row in related if row[0] == _TAG)
    return tags, tuple(_row(account_id, *row) for row in related if row[0] != _TAG)


def _values(caller: str, session_policies: Sequence[str]) -> dict[str, str]:
    return {_CALLER: caller, **{_SESSION_POLICY.format(number): each for number, each in enumerate(session_policies)}}


@cache
def _of_key(session_policies: int) -> PreparedJoin[AccessKey]:
    def related() -> QuerySet[Any, Any]:
        tags = _tags(UserTag.objects.filter(user__access_keys=_CALLER))
        return tags.union(*_of_user(_BY_KEY), *_of_session(session_policies), all=True)

    return PreparedJoin(lambda: AccessKey.objects.filter(pk=_CALLER).select_related("user"), related)


@cache
def _of_session_role(session_policies: int) -> PreparedJoin[Role]:
    def related() -> QuerySet[Any, Any]:
        tags = _tags(RoleTag.objects.filter(role__unique_id=_CALLER))
        return tags.union(*_of_role(), *_of_session(session_policies), all=True)

    return PreparedJoin(_session_role, related)


def _session_role() -> QuerySet[Role]:
    lockdowns = Lockdown.objects.filter(unique_id=_BEGINNER)
    lifted = lockdowns.filter(lifted_at__isnull=False).order_by("-lifted_at")
    return Role.objects.filter(unique_id=_CALLER).annotate(
        is_beginner_locked_down=Exists(lockdowns.filter(lifted_at=None)),
        beginner_valid_from=Subquery(lifted.values("lifted_at")[:1]),
    )


def _row(
    account_id: str, layer: str, kind: str, owner_path: str, owner: str, account: str, path: str, name: str, digest: str
) -> PolicyRow:
    """An inline policy has no path."""
    source = policy_arn(account or None, path, name) if path else name
    origin = _ARNS[kind](account_id, owner_path, owner) if kind in _ARNS else ""
    return PolicyRow(layer, source, origin, digest)


@cache
def _query(kind: str, session_policies: int) -> tuple[str, tuple[Any, ...]]:
    """The statement, written by the ORM once per process: writing it anew cost ten times as much as running it."""
    queries = {"user": _of_user, "role": _of_role}[kind]() if kind else []
    queries += _of_session(session_policies)
    return constants_inlined(*queries[0].union(*queries[1:], all=True).query.sql_with_params())


def _of_user(by: str = _BY_ID) -> list[QuerySet[Any, Any]]:
    in_group = {f"group__memberships__user__{by}": _CALLER}
    default = {"policy__versions__is_default": True}
    return [
        _attached(UserAttachment.objects.filter(**{f"user__{by}": _CALLER}, **default), "user"),
        _attached(GroupAttachment.objects.filter(**in_group, **default), "group"),
        _inline(UserInlinePolicy.objects.filter(**{f"user__{by}": _CALLER}), "user"),
        _inline(GroupInlinePolicy.objects.filter(**in_group), "group"),
        _boundary(User.objects.filter(**{by: _CALLER}, boundary__isnull=False), "user"),
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


def _tags(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    return rows.values_list(*(Value(each) for each in (_TAG, "", "", "", "", "")), "key", "value")


def _of_session(number: int) -> list[QuerySet[Any, Any]]:
    return [_session([Param(_SESSION_POLICY.format(each)) for each in range(number)])] if number else []


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
    first, *others = (model.objects.filter(digest__in=digests).values_list("digest", "document") for model in models)
    return dict(first.union(*others))
