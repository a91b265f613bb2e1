from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access import cookies, one_time, recovery, throttle
from access.forms.sign_in import NewPasswordForm, RootEmailForm
from access.http import AccessRequest
from access.sign_in import find_root
from access.tokens import looks_like_token
from access.views.entering import remember_browser
from accounts import mails
from accounts.passwords import rules_in_words
from audit.actions import public
from audit.errors import ConcurrentModification, ServiceError
from identities.services.mfa import has_mfa


class RepliedFirst(HttpResponse):
    """Does something slow when the answer is already out: how long a mail takes must not tell whether there is one."""

    afterwards: Callable[[], None] | None = None

    def close(self) -> None:
        super().close()
        afterwards, self.afterwards = self.afterwards, None
        if afterwards is not None:
            afterwards()


@public("a root user who can't sign in asks for a new password")
@never_cache
def forgot_password(request: AccessRequest) -> HttpResponse:
    form = RootEmailForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "access/forgot_password.html", {"form": form, "mails_are_sent": mails.are_sent()})
    mail = recovery.ask(form.cleaned_data["email"], origin=request.origin)
    context = {"email": form.cleaned_data["email"], "mails_are_sent": mails.are_sent()}
    page = render(request, "access/forgot_password_sent.html", context)
    response = RepliedFirst(page.content)
    response.afterwards = mail.send if mail else None
    return response


@public("the link of the mail: it goes into a cookie at once, so that it stands in no history")
@never_cache
@require_safe
def open_reset_link(request: AccessRequest, token: str) -> HttpResponse:
    response = redirect("access:reset-root-password")
    # What is no token of ours might not even fit into a header.
    if looks_like_token(token):
        cookies.write(response, cookies.RESET, token, lifetime=one_time.LIFETIME)
    else:
        cookies.forget(response, cookies.RESET)
    return response


@public("whoever holds the link of the mail sets a new root password; signing in comes after that")
@never_cache
def reset_root_password(request: AccessRequest) -> HttpResponse:
    if request.method == "POST":
        throttle.step_try(throttle.STEPS_FROM_ADDRESS, request.origin.address)
    found = recovery.root_user_of(cookies.read(request, cookies.RESET))
    if found is None:
        return render(request, "access/reset_over.html", status=404)
    row, root_user = found
    rules = rules_in_words(None, has_mfa=has_mfa(root_user.account_id, None))
    data = request.POST if request.method == "POST" else None
    form = NewPasswordForm(data, rules=rules, strength=reverse("access:password-strength"))
    if form.is_valid():
        try:
            recovery.complete(row, root_user, form.cleaned_data["password"], origin=request.origin)
        except ConcurrentModification:
            return render(request, "access/reset_over.html", status=404)
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            return _done(request, root_user.email)
    return render(request, "access/reset_root_password.html", {"form": form, "email": root_user.email})


def _done(request: AccessRequest, email: str) -> HttpResponse:
    """Whoever reads root's mail is known from now on, so that an attack from elsewhere can't keep root out."""
    messages.success(request, "The root user's password is changed. Sign in with it now.")
    response = redirect("access:root-sign-in")
    cookies.forget(response, cookies.RESET)
    remember_browser(request, response, find_root(email))
    return response
