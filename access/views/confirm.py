from django.db import transaction
from django.http import HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from access import cookies, sessions
from access.carried_text import unpacked
from access.forms.sign_in import ConfirmForm
from access.guard import LONGEST_OF_OURS, safe_next
from access.http import AccessRequest
from access.models import ConsoleSession
from access.own_credentials import session_owner
from access.sign_in import CONFIRM, Person, SignInFailed, find_signed_in, prove_code, prove_password
from audit.actions import open_before_root_mfa, signed_in
from audit.services import record
from identities.services.mfa import has_mfa


@signed_in("everybody may prove again who they are")
@open_before_root_mfa
@never_cache
def confirm(request: AccessRequest) -> HttpResponse:
    session = request.console_session
    if session is None:
        return redirect("access:sign-in")
    if session.is_federated:
        return render(request, "access/confirm_elsewhere.html", {"session": session})
    person = find_signed_in(session)
    with_code = has_mfa(session.account_id, session.user)
    form = ConfirmForm(request.POST if request.method == "POST" else None, with_code=with_code)
    carried = unpacked(request.GET.get("packed", ""), LONGEST_OF_OURS)
    asked = request.POST.get("next") or request.GET.get("next") or carried
    next_url = safe_next(asked, LONGEST_OF_OURS)
    if form.is_valid():
        try:
            _prove(request, person, form.cleaned_data)
        except SignInFailed:
            form.add_error(None, "That did not match. Check what you typed and try again.")
        else:
            return _renewed(request, session, next_url, mfa=with_code)
    return render(request, "access/confirm.html", {"form": form, "next": next_url})


def _prove(request: AccessRequest, person: Person, proofs: dict[str, str]) -> None:
    """The code is looked at only after the password, so that a wrong password uses no code up."""
    known = cookies.read(request, cookies.DEVICE)
    prove_password(person, proofs["password"], origin=request.origin, known_browser=known, action=CONFIRM)
    if "code" in proofs:
        prove_code(person, proofs["code"], origin=request.origin, action=CONFIRM)


def _renewed(request: AccessRequest, session: ConsoleSession, next_url: str, *, mfa: bool) -> HttpResponse:
    rotate_token(request)
    response = redirect(next_url)
    with transaction.atomic():
        who = session_owner(request)
        record(who, CONFIRM, who.arn, mfa=mfa)
        binding = sessions.present_binding(session)
        token = sessions.renew(session, password_binding=binding, mfa=True if mfa else None)
    cookies.write_session(response, token, is_root=session.is_root)
    return response
