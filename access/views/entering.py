"""What the pages of a sign-in share: going to the next step, and the moment in which somebody is in."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.urls import reverse

from access import cookies, known_browsers, remembered_sign_in, sessions, sign_in, sign_in_attempts
from access.guard import safe_next
from access.http import AccessRequest
from access.models import SignInAttempt, SignInStep
from access.sign_in import Person
from accounts.models import RootUser
from audit.errors import NoSuchEntity

PAGES = {
    SignInStep.PASSWORD: "access:root-password",
    SignInStep.SECOND_FACTOR: "access:second-factor",
    SignInStep.NEW_PASSWORD: "access:new-password",
}
NO_MATCH_USER = "The account, user name and password did not match. Check all three and try again."
NO_MATCH_ROOT = "The e-mail address and password did not match. Check both and try again."


def to_step(step: SignInStep, token: str) -> HttpResponse:
    """The page of a step, with the token that opens it and nothing else."""
    response = redirect(PAGES[step])
    cookies.write(response, cookies.ATTEMPT, token, lifetime=sign_in_attempts.LIFETIME)
    return response


def start_over(is_root: bool = False) -> HttpResponse:
    """The first page, for somebody whose attempt is over, overtaken, or was never there."""
    response = redirect("access:root-sign-in" if is_root else "access:sign-in")
    cookies.forget(response, cookies.ATTEMPT)
    return response


def go_on(
    request: AccessRequest, person: Person, next_url: str, *, attempt: SignInAttempt | None = None, mfa: bool = False
) -> HttpResponse:
    """After a proof: to what is still asked, or in; to the beginning for whoever was deleted since."""
    try:
        return _next_page(request, person, next_url, attempt=attempt, mfa=mfa)
    except NoSuchEntity:
        return start_over(person.is_root)


def _next_page(
    request: AccessRequest, person: Person, next_url: str, *, attempt: SignInAttempt | None, mfa: bool
) -> HttpResponse:
    step = sign_in.next_step(person, mfa=mfa)
    if step is None or person.account is None or person.owner is None:
        return enter(request, person, next_url, attempt=attempt, mfa=mfa)
    binding = person.owner.get_session_auth_hash()
    if attempt is not None:
        token = sign_in_attempts.advance(attempt, step, password_binding=binding, mfa=mfa)
        return to_step(step, token) if token else start_over(person.is_root)
    token = sign_in_attempts.begin(
        account_id=person.account.id,
        user=person.user,
        is_root=person.is_root,
        shown_name=person.name,
        step=step,
        next_url=next_url,
        password_binding=binding,
    )
    return to_step(step, token)


def enter(
    request: AccessRequest, person: Person, next_url: str, *, attempt: SignInAttempt | None = None, mfa: bool = False
) -> HttpResponse:
    """Sign somebody in who has proved everything. Whoever was signed in with this browser is signed out by it."""
    if attempt is not None and not sign_in_attempts.finish(attempt):
        return start_over(person.is_root)
    if request.console_session is not None:
        sessions.end_session(request.console_session)
    token = sign_in.open_session(person, origin=request.origin, mfa=mfa)
    # A form that was opened as somebody else, or as nobody, is worth nothing from here on.
    rotate_token(request)
    _warn_of_expiry(request, person)
    response = redirect(_landing(person, next_url, mfa=mfa))
    cookies.write_session(response, token, is_root=person.is_root)
    cookies.forget(response, cookies.ATTEMPT)
    remember_browser(request, response, person)
    return response


def remember_browser(request: AccessRequest, response: HttpResponse, person: Person) -> None:
    """For the limits, and so that the sign-in page knows the account next time."""
    if person.account is None:
        return
    known = known_browsers.remember(cookies.read(request, cookies.DEVICE), person.account, person.user)
    cookies.write(response, cookies.DEVICE, known, lifetime=cookies.REMEMBERED)
    if person.user is not None:
        text = remembered_sign_in.write(person.account.sign_in_name, person.user.name)
        cookies.write(response, cookies.ACCOUNT, text, lifetime=cookies.REMEMBERED)


def _landing(person: Person, next_url: str, *, mfa: bool) -> str:
    """Root without MFA is asked for it first, until it was put off once."""
    address = safe_next(next_url)
    root_user = person.owner
    if isinstance(root_user, RootUser) and not mfa and root_user.mfa_demand_dismissed_at is None:
        return f"{reverse('access:protect-root')}?{urlencode({'next': address})}"
    return address


def _warn_of_expiry(request: AccessRequest, person: Person) -> None:
    days = sign_in.days_left(person)
    if days is not None:
        when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
        messages.warning(request, f"Your password expires {when}. Change it under My security credentials.")
