from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from access import cookies, one_time, remembered_sign_in, sign_in_attempts, throttle
from access.forms.sign_in import PasswordForm, RootEmailForm, UserSignInForm
from access.guard import safe_next
from access.http import AccessRequest
from access.models import SignInStep
from access.sign_in import SignInFailed, find_iam_user, find_root, person_of, prove_password
from access.views.entering import NO_MATCH_ROOT, NO_MATCH_USER, go_on, start_over, to_step
from audit.actions import public
from federation.services.oidc_sign_in import listed_sign_ins


@public("nobody is signed in yet: this is where an IAM user signs in")
@never_cache
def sign_in(request: AccessRequest, account: str = "") -> HttpResponse:
    known_account, known_name = remembered_sign_in.read(cookies.read(request, cookies.ACCOUNT))
    name = known_name if account in ("", known_account) else ""
    initial = {"account": (account or known_account)[:63], "user_name": name}
    form = UserSignInForm(request.POST if request.method == "POST" else None, initial=initial)
    next_url = _next(request)
    if form.is_valid():
        person = find_iam_user(form.cleaned_data["account"], form.cleaned_data["user_name"])
        known = cookies.read(request, cookies.DEVICE)
        try:
            prove_password(person, form.cleaned_data["password"], origin=request.origin, known_browser=known)
        except SignInFailed:
            form.add_error(None, NO_MATCH_USER)
        else:
            return go_on(request, person, next_url)
    first_empty = next((field for field in ("account", "user_name") if not form[field].value()), "password")
    form.fields[first_empty].widget.attrs["autofocus"] = True
    context = {
        "form": form,
        "next": next_url,
        "opened": one_time.was_ever_opened(),
        "providers": [row.provider for row in listed_sign_ins(account)] if account else [],
    }
    return render(request, "access/sign_in.html", context)


@public("nobody is signed in yet: this is where a root user begins to sign in")
@never_cache
def root_sign_in(request: AccessRequest) -> HttpResponse:
    form = RootEmailForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        throttle.step_try(throttle.STEPS_FROM_ADDRESS, request.origin.address)
        email = form.cleaned_data["email"]
        person = find_root(email)
        token = sign_in_attempts.begin(
            account_id=person.account_id or None,
            user=None,
            is_root=True,
            shown_name=email,
            step=SignInStep.PASSWORD,
            next_url=_next(request),
        )
        return to_step(SignInStep.PASSWORD, token)
    context = {"form": form, "next": _next(request), "opened": one_time.was_ever_opened()}
    return render(request, "access/root_sign_in.html", context)


@public("nobody is signed in yet: the second step of a root user's sign-in")
@never_cache
def root_password(request: AccessRequest) -> HttpResponse:
    attempt = sign_in_attempts.load(cookies.read(request, cookies.ATTEMPT), SignInStep.PASSWORD)
    if attempt is None:
        return start_over(is_root=True)
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        person = person_of(attempt)
        known = cookies.read(request, cookies.DEVICE)
        try:
            prove_password(person, form.cleaned_data["password"], origin=request.origin, known_browser=known)
        except SignInFailed:
            form.add_error(None, NO_MATCH_ROOT)
        else:
            return go_on(request, person, attempt.next_url, attempt=attempt)
    return render(request, "access/root_password.html", {"form": form, "email": attempt.shown_name})


def _next(request: AccessRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return safe_next(wanted) if wanted else ""
