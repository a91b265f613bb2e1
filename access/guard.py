"""The guard: before any view runs it knows who is acting, reads the view's declaration, and asks the one gate.

A view that declares nothing is refused. What a denied caller gets is the same whether the thing exists or not.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from access import cookies, last_accessed, sessions
from access.carried_text import packed
from access.denials import record_denial
from access.gate import PrincipalGate
from access.models import ConsoleSession
from access.origin import origin_of
from access.principals import session_principal
from access.resources import LOADERS, load_self
from access.throttle import Throttled, count_mail
from audit import decisions
from audit.actions import Declaration
from audit.errors import AccessDenied, ServiceError
from audit.models import Outcome
from audit.principal import anonymous
from audit.services import record
from identities.resource_tags import boundary_key

# Flows that carry their state in the address are long. Quoted inside another address it must still fit into what is
# accepted at all (iamconsole.middleware). A longer one is packed where it is only to come back to.
LONGEST_NEXT, LONGEST_OF_OURS = 4500, 8000
_CONFLICTS = ("DeleteConflict", "EntityAlreadyExists", "EntityTemporarilyUnmodifiable", "LimitExceeded")
STATUS = {"NoSuchEntity": 404, **dict.fromkeys(_CONFLICTS, 409)}


class GuardMiddleware:
    """Sets `request.principal`, `request.gate`, `request.origin`, `request.console_session` and `request.count_mail`.

    Where a session's role is over, nobody acts (`request.is_role_over`): it would be wrong to go on as somebody else
    who may do more.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        session = _session_of(request)
        request.origin = origin_of(request, "console", str(session.id) if session else "")
        principal = session_principal(session, request.origin) if session else None
        if session is not None and principal is None and not session.is_switched:
            sessions.end_session(session)
            session = None
        request.console_session = session
        request.is_role_over = session is not None and principal is None
        request.principal = principal or anonymous(request.origin, session.account_id if session else "")
        request.gate = PrincipalGate(request.principal)
        request.count_mail = count_mail
        with decisions.noting():
            response = self.get_response(request)
        response.headers.setdefault("X-Request-Id", request.origin.request_id)
        if session is not None:
            response.headers["Cache-Control"] = "no-store"
        return response

    def process_view(
        self, request: Any, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        declaration: Declaration | None = getattr(view, "declaration", None)
        if declaration is None:
            raise PermissionError(f"{view.__module__}.{view.__name__} declares no action.")
        if declaration.kind == "public":
            return None
        if request.console_session is None:
            return to_sign_in(request)
        if request.is_role_over:
            if getattr(view, "open_when_role_is_over", False):
                return None
            return _redirect(request, reverse("access:role-over"))
        if _must_set_up_mfa_first(request, view):
            return _redirect(request, reverse("access:protect-root"))
        if declaration.kind == "requires":
            last_accessed.note(request.principal, declaration.action)
            try:
                _authorize(request, declaration, kwargs)
            except AccessDenied as error:
                return denied(request, error)
        if getattr(view, "needs_fresh_sign_in", False) and not sessions.is_fresh(request.console_session):
            return _redirect(request, _confirm_first(page_of(request, LONGEST_OF_OURS)))
        return None

    def process_exception(self, request: Any, error: Exception) -> HttpResponse | None:
        if isinstance(error, AccessDenied):
            return denied(request, error)
        if isinstance(error, Throttled):
            return too_many(request, error)
        if isinstance(error, ServiceError):
            return _refused(request, error)
        return None


def _session_of(request: HttpRequest) -> ConsoleSession | None:
    token = cookies.session_token(request)
    return sessions.load_session(token) if token else None


def _must_set_up_mfa_first(request: Any, view: Callable[..., Any]) -> bool:
    """With ROOT_MFA_REQUIRED, root reaches nothing but its own MFA pages until a device is on."""
    return (
        request.principal.is_root
        and settings.ROOT_MFA_REQUIRED
        and not request.principal.mfa
        and not getattr(view, "open_before_root_mfa", False)
    )


def _authorize(request: Any, declaration: Declaration, kwargs: dict[str, Any]) -> None:
    """Ask the gate; put the loaded row in the place of the address's words. 403 comes before 404."""
    gate, principal = request.gate, request.principal
    if declaration.creates:
        if not gate.might(declaration.action):
            _deny(request, declaration.action, "*")
        return
    if declaration.resource in LOADERS:
        load, words = LOADERS[declaration.resource]
        loaded = load(principal, *(kwargs.pop(word) for word in words))
        keys = {**loaded.context, **boundary_key(loaded.row, declaration.action)}
        gate.require(declaration.action, loaded.arn, keys, asked=loaded.asked)
        if loaded.row is None:
            raise Http404(f"There is no {declaration.resource.replace('_', ' ')} with that name in this account.")
        kwargs[declaration.resource] = loaded.row
        return
    if declaration.resource == "self":
        loaded = load_self(principal)
        gate.require(declaration.action, loaded.arn, loaded.context)
        return
    gate.require(declaration.action, "*")


def _deny(request: Any, action: str, resource: str) -> None:
    decision = request.gate.decide(action, resource)
    raise AccessDenied(request.principal.arn, action, resource, decision)


def denied(request: Any, error: AccessDenied) -> HttpResponse:
    """Record the refusal and show what was asked: the action, the resource, and which kind of policy decided."""
    record_denial(request.gate, error)
    template = "components/not_allowed.html" if request.htmx else "access/denied.html"
    response = render(request, template, {"denial": error}, status=403)
    return _to_notice(request, response)


def _refused(request: Any, error: ServiceError) -> HttpResponse:
    """A refusal that no form on the page can show at a field: a stale button, something already gone."""
    _record_failure(request, error)
    template = "components/refused.html" if request.htmx else "access/refused.html"
    response = render(request, template, {"error": error}, status=STATUS.get(error.code, 400))
    return _to_notice(request, response)


def too_many(request: Any, error: Throttled) -> HttpResponse:
    """A plain page, signed in or not; a part of a page gets the sentence only."""
    _record_failure(request, error)
    template = "components/refused.html" if request.htmx else "access/throttled.html"
    response = render(request, template, {"error": error}, status=429)
    response.headers["Retry-After"] = str(error.seconds)
    response.headers["Cache-Control"] = "no-store"
    return _to_notice(request, response)


def _record_failure(request: Any, error: ServiceError) -> None:
    """A change that failed is recorded for the pages of actions, as for programs. Sign-ins do it themselves."""
    page = request.resolver_match
    declaration: Declaration | None = getattr(page.func, "declaration", None)
    if declaration is None or declaration.kind != "requires" or request.method != "POST":
        return
    by = request.principal
    # What the guard has loaded stands among the words of the address.
    arn = by.arn if declaration.resource == "self" else getattr(page.kwargs.get(declaration.resource), "arn", "")
    record(by, declaration.action, arn, outcome=Outcome.FAILURE, error_code=error.code)


def _to_notice(request: Any, response: HttpResponse) -> HttpResponse:
    if request.htmx:
        response.headers["HX-Retarget"] = "#notice"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _confirm_first(page: str) -> str:
    """Where somebody proves again who they are, and the page to come back to."""
    words = {"next": page} if len(page) <= LONGEST_NEXT else {"packed": packed(page)}
    address = f"{reverse('access:confirm')}?{urlencode(words)}"
    return address if len(address) <= LONGEST_OF_OURS else reverse("access:confirm")


def to_sign_in(request: Any) -> HttpResponse:
    """The sign-in page, and back here after. htmx must load it whole, not swap it into a table."""
    return _redirect(request, f"{reverse('access:sign-in')}?{urlencode({'next': page_of(request)})}")


def _redirect(request: Any, address: str) -> HttpResponse:
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def page_of(request: Any, longest: int = LONGEST_NEXT) -> str:
    """The page to come back to: this one if it was read, or the one that the form stood on."""
    if request.htmx and (path := _path_here(request, request.htmx.current_url or "")):
        return safe_next(path, longest)
    if request.method in ("GET", "HEAD"):
        return safe_next(request.get_full_path(), longest)
    return safe_next(_path_here(request, request.headers.get("Referer", "")), longest)


def _path_here(request: Any, address: str) -> str:
    """What follows the host in an address of this site; '' for any other. Strangers' texts may be no address at all."""
    host, slash, path = address.partition("://")[2].partition("/")
    return slash + path if host == request.get_host() else ""


def safe_next(address: str, longest: int = LONGEST_NEXT) -> str:
    """The one place that judges where a browser may be sent: a path of this site, or the dashboard."""
    plain = address.isascii() and address.isprintable() and "\\" not in address and len(address) <= longest
    ours = plain and address.startswith("/") and not address.startswith("//")
    # Django judges 2,048 characters at most; no query makes another host of a path.
    if ours and url_has_allowed_host_and_scheme(address.partition("?")[0], allowed_hosts=None):
        return address
    return reverse("access:dashboard")
