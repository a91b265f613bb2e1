"""Locking a user down and lifting it: each page says what happens, and counts only what its reader may list."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import get_text_list
from django.views.decorators.http import require_http_methods

from access import lockdown, sessions
from access.forms.lockdown import LiftForm, LockDownForm
from access.http import AccessRequest
from access.lockdown import KINDS, LIFT, LOCK, Credential, Kind
from access.models import ConsoleSession
from access.recommendations import is_last_administrator
from accounts import mails
from audit.actions import recently_signed_in, requires
from audit.errors import ServiceError
from identities.models import User
from identities.resource_tags import resource_tags

LOGIN_PROFILE, SESSIONS = "iam:GetLoginProfile", "iamconsole:ListConsoleSessions"
DETAILS = "iam:GetAccountAuthorizationDetails"
LISTS = tuple(kind.lists for kind in KINDS)
UPDATES = tuple(kind.updates for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that ends, and the ids of what it is about."""

    text: str
    ids: tuple[str, ...] = ()


@requires(LOCK, "user", also=(LOGIN_PROFILE, SESSIONS, DETAILS, *LISTS))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def lock_down_user(request: AccessRequest, user: User) -> HttpResponse:
    form = LockDownForm(request.POST if request.method == "POST" else None, name=user.name)
    if form.is_valid():
        try:
            lockdown.lock_down(by=request.principal, user=user, reason=form.cleaned_data["reason"])
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, _done(user))
            return redirect("identities:get-user", user.name)
    context = {
        "user": user,
        "form": form,
        "is_self": lockdown.is_oneself(request.principal, user),
        "is_last": request.gate.may(DETAILS, "*").allowed and is_last_administrator(user),
        "lines": list(_lines(request, user)),
        "mails_are_sent": mails.are_sent(),
    }
    return render(request, "access/lock_down_user.html", context)


@requires(LIFT, "user", also=(*LISTS, *UPDATES))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def lift_user_lockdown(request: AccessRequest, user: User) -> HttpResponse:
    seen = _restorable(request, user)
    form = LiftForm(request.POST if request.method == "POST" else None, credentials=seen)
    if form.is_valid():
        try:
            lockdown.lift(by=request.principal, user=user, restore=form.cleaned_data["restore"])
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            rest = " What was not ticked stays inactive." if seen else ""
            messages.success(request, f"The lockdown of {user.name} is lifted.{rest}")
            return redirect("identities:get-user", user.name)
    context = {
        "user": user,
        "form": form,
        "credentials": seen,
        "hidden": _hidden(user, seen),
        "is_self": lockdown.is_oneself(request.principal, user),
    }
    return render(request, "access/lift_user_lockdown.html", context)


def _done(user: User) -> str:
    if user.is_locked_down:
        return f"{user.name} was locked down already. Nothing has changed; your reason is in the audit trail."
    return f"The lockdown of {user.name} took effect at once."


def _lines(request: AccessRequest, user: User) -> Iterator[Line]:
    yield Line(_of_password(request, user))
    yield Line(_of_sessions(request, user))
    without = []
    for kind in KINDS:
        if line := _of_kind(request, user, kind):
            yield line
        else:
            without.append(kind.name)
    if without:
        yield Line(f"No active {get_text_list(without, 'or')}")
    yield Line("Temporary credentials issued before now, also those of roles that the user has taken on, are refused")


def _of_password(request: AccessRequest, user: User) -> str:
    if _may(request, LOGIN_PROFILE, user) and not hasattr(user, "login_profile"):
        return "There is no console password; one that is set later opens nothing either"
    return "The console password opens nothing any more, not even with MFA"


def _of_sessions(request: AccessRequest, user: User) -> str:
    if not _may(request, SESSIONS, user):
        return "All open console sessions end"
    count = sessions.live(ConsoleSession.objects.filter(user=user)).count()
    if not count:
        return "No console session is open"
    return f"{count} open console session ends" if count == 1 else f"{count} open console sessions end"


def _of_kind(request: AccessRequest, user: User, kind: Kind) -> Line | None:
    """None when there is none."""
    if not _may(request, kind.lists, user):
        return Line(f"All active {kind.name}s become inactive")
    ids = tuple(each.id for each in lockdown.active_credentials(user, kind))
    if not ids:
        return None
    number = f"{len(ids)} active {kind.name}"
    return Line(f"{number} becomes inactive" if len(ids) == 1 else f"{number}s become inactive", ids)


def _restorable(request: AccessRequest, user: User) -> list[Credential]:
    """What the lockdown made inactive, as far as the reader may list it and make it active."""
    if user.lockdown is None:
        return []
    listed = {kind for kind in KINDS if _may(request, kind.lists, user)}
    return [
        each
        for each in lockdown.offered(user, user.lockdown)
        if each.kind in listed and _may(request, each.kind.updates, user, **each.keys)
    ]


def _hidden(user: User, seen: list[Credential]) -> bool:
    return user.lockdown is not None and len(lockdown.offered(user, user.lockdown)) > len(seen)


def _may(request: AccessRequest, action: str, user: User, **keys: str) -> bool:
    return request.gate.may(action, user.arn, {**resource_tags(user), **keys}).allowed
