"""Browsers that are signed in: one's own, and for administrators those of others."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access import sessions
from access.http import AccessRequest
from access.models import ConsoleSession
from access.own_credentials import session_owner
from access.user_agents import in_words
from audit.actions import requires, signed_in
from audit.errors import NoSuchEntity
from audit.services import record
from identities.models import LoginProfile, User
from identities.panels import panel
from identities.resource_tags import resource_tags

PAGE = 50
END = "iamconsole:EndConsoleSession"


@signed_in("everybody sees where they are signed in")
@require_safe
def my_sessions(request: AccessRequest) -> HttpResponse:
    return render(request, "access/sessions.html", _listed(request, _own(request)))


@signed_in("everybody may end a session of their own")
@require_POST
def end_my_session(request: AccessRequest, session_id: UUID) -> HttpResponse:
    session = _own(request).filter(pk=session_id).first()
    if session is None:
        raise NoSuchEntity("This session is over already.")
    with transaction.atomic():
        who = session_owner(request)
        sessions.end_session(session)
        record(who, END, who.arn, session=str(session.pk))
    messages.success(request, "The session is ended: that browser is signed out.")
    return redirect("access:sessions")


@signed_in("everybody may end all sessions of their own but the present one")
@require_POST
def end_my_other_sessions(request: AccessRequest) -> HttpResponse:
    with transaction.atomic():
        count = _own(request).exclude(pk=_present(request).pk).delete()[0]
        who = session_owner(request)
        record(who, END, who.arn, ended=count)
    messages.success(request, f"{count} other session{'s' if count != 1 else ''} ended.")
    return redirect("access:sessions")


@requires("iamconsole:ListConsoleSessions", "user", also=(END,))
@require_safe
def list_console_sessions(request: AccessRequest, user: User) -> HttpResponse:
    profile: LoginProfile | None = getattr(user, "login_profile", None)
    binding = profile.get_session_auth_hash() if profile else ""
    rows = _live(ConsoleSession.objects.filter(user=user, password_binding=binding))
    context = {
        "user": user,
        "may_end": panel(request.gate, END, user.arn, resource_tags(user)),
        **_listed(request, rows),
    }
    return render(request, "access/user_sessions.html", context)


@requires(END, "user")
@require_POST
def end_console_session(request: AccessRequest, user: User) -> HttpResponse:
    """One session of a user, or all of them when none is named."""
    wanted = ConsoleSession.objects.filter(user=user)
    if "session" in request.POST:
        wanted = wanted.filter(pk=_session_id(request.POST["session"]))
    with transaction.atomic():
        count = wanted.delete()[0]
        record(request.principal, END, user.arn, ended=count)
    messages.success(request, f"{count} session{'s' if count != 1 else ''} of {user.name} ended.")
    return redirect("access:list-console-sessions", user.name)


def _listed(request: AccessRequest, rows: QuerySet[ConsoleSession]) -> dict[str, Any]:
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    named = [(session, in_words(session.user_agent)) for session in page]
    return {"page": page, "sessions": named, "present": request.console_session}


def _session_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NoSuchEntity("There is no such session.") from error


def _present(request: AccessRequest) -> ConsoleSession:
    if request.console_session is None:
        raise NoSuchEntity("This session is over already.")
    return request.console_session


def _own(request: AccessRequest) -> QuerySet[ConsoleSession]:
    present = _present(request)
    return _live(sessions.of_owner(present).filter(password_binding=present.password_binding))


def _live(rows: QuerySet[ConsoleSession]) -> QuerySet[ConsoleSession]:
    """Those that time has not ended, although the rows of others may not be gone yet."""
    return sessions.live(rows).order_by("-last_seen_at")
