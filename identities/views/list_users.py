"""The list of users: as quick with ten thousand as with ten. Only the fifty rows of a page are looked at closely."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, Max, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.actions import requires
from audit.http import ConsoleRequest
from identities.models import AccessKey, LoginProfile, Membership, MFADevice, User
from identities.models.credentials import KeyStatus
from identities.resource_tags import resource_tags

PAGE = 50
_KEY_ID = re.compile(r"AKIA[A-Z2-7]{2,16}", re.IGNORECASE)
_UNIQUE_ID = re.compile(r"AIDA[A-Z2-7]{2,17}", re.IGNORECASE)
_LONG_AGO = Value(datetime(1970, 1, 1, tzinfo=UTC))

# What a column shows, and the action that permits to see it of one user.
COLUMNS = {
    "groups": "iam:ListGroupsForUser",
    "console": "iam:GetLoginProfile",
    "mfa": "iam:ListMFADevices",
    "keys": "iam:ListAccessKeys",
    "key_use": "iam:GetAccessKeyLastUsed",
}
SORTS = ("name", "created", "password", "key", "activity")
_BY_KEYS = ("key", "activity")


@dataclass(frozen=True, slots=True)
class UserRow:
    """`shown` are the columns of this user that the caller may see; the others are empty here already."""

    user: User
    shown: frozenset[str]
    groups: int
    console: bool
    devices: int
    active_key_since: datetime | None
    last_activity: datetime | None


@requires("iam:ListUsers", also=tuple(COLUMNS.values()))
@require_safe
def list_users(request: ConsoleRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:128]
    users = found_users(request, search)
    sorts = SORTS if _may_sort_by_keys(request) else tuple(key for key in SORTS if key not in _BY_KEYS)
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in sorts else "name"
    page = Paginator(_sorted(users, sort), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": _rows(request, page), "search": search, "sort": sort, "sorts": sorts}
    return render(request, "identities/list_users.html" + ("#rows" if request.htmx else ""), context)


def found_users(request: ConsoleRequest, search: str) -> QuerySet[User]:
    """Users of the account by a part of the name, by unique id, or by the id of a key that the caller may list."""
    users = User.objects.filter(account_id=request.principal.account_id).prefetch_related("tags")
    if not search:
        return users
    wanted = Q(name_key__contains=search.lower())
    if _UNIQUE_ID.fullmatch(search):
        wanted |= Q(unique_id__startswith=search.upper())
    if _KEY_ID.fullmatch(search):
        wanted |= Q(pk__in=_owners_of_key(request, search.upper()))
    return users.filter(wanted)


def _owners_of_key(request: ConsoleRequest, beginning: str) -> list[int]:
    """Finding a user by key id tells whose key it is: only those whose keys the caller may list are found."""
    keys = AccessKey.objects.filter(
        account_id=request.principal.account_id, access_key_id__startswith=beginning, user__isnull=False
    )
    owners = [key.user for key in keys.select_related("user").prefetch_related("user__tags")[:PAGE] if key.user]
    return [user.pk for user in owners if _may(request, "iam:ListAccessKeys", user)]


def _may(request: ConsoleRequest, action: str, user: User) -> bool:
    return request.gate.may(action, user.arn, resource_tags(user)).allowed


def _may_sort_by_keys(request: ConsoleRequest) -> bool:
    """An order by something hidden would tell it."""
    return all(request.gate.may(COLUMNS[column], "*").allowed for column in ("keys", "key_use"))


def _sorted(users: QuerySet[User], sort: str) -> QuerySet[User]:
    keys = AccessKey.objects.filter(user=OuterRef("pk")).order_by().values("user")
    oldest = keys.filter(status=KeyStatus.ACTIVE).annotate(moment=Min("created_at")).values("moment")
    latest = keys.annotate(moment=Max("last_used_at")).values("moment")
    columns: dict[str, Any] = {
        "name": F("name_key"),
        "created": F("created_at"),
        "password": F("password_last_used_at"),
        "key": Subquery(oldest),
        "activity": Greatest(Coalesce("password_last_used_at", _LONG_AGO), Coalesce(Subquery(latest), _LONG_AGO)),
    }
    column = columns[sort.removeprefix("-")]
    order = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    # Equal ones keep one order, or a user could be on two pages or on none.
    return users.order_by(order) if sort in ("name", "-name") else users.order_by(order, "name_key")


def _rows(request: ConsoleRequest, page: Page[User]) -> list[UserRow]:
    """Four queries for all rows of the page, whatever their number."""
    users = list(page)
    ids = [user.pk for user in users]
    groups = Counter(Membership.objects.filter(user__in=ids).values_list("user_id", flat=True))
    console = set(LoginProfile.objects.filter(user__in=ids).values_list("user_id", flat=True))
    devices = Counter(
        MFADevice.objects.filter(user__in=ids, enabled_at__isnull=False).values_list("user_id", flat=True)
    )
    keys: dict[int, list[AccessKey]] = {}
    for key in AccessKey.objects.filter(user__in=ids).only("user_id", "status", "created_at", "last_used_at"):
        keys.setdefault(key.user_id or 0, []).append(key)
    return [
        _row(request, user, groups[user.pk], user.pk in console, devices[user.pk], keys.get(user.pk, []))
        for user in users
    ]


def _row(
    request: ConsoleRequest, user: User, groups: int, console: bool, devices: int, keys: list[AccessKey]
) -> UserRow:
    shown = frozenset(column for column, action in COLUMNS.items() if _may(request, action, user))
    uses = [key.last_used_at for key in keys if key.last_used_at] if "key_use" in shown else []
    uses += [user.password_last_used_at] if user.password_last_used_at else []
    active = [key.created_at for key in keys if key.is_active]
    return UserRow(
        user=user,
        shown=shown,
        groups=groups if "groups" in shown else 0,
        console=console and "console" in shown,
        devices=devices if "mfa" in shown else 0,
        active_key_since=min(active, default=None) if "keys" in shown else None,
        last_activity=max(uses, default=None),
    )
