from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from access import one_time, throttle
from access.forms.set_up import SetUpForm
from access.http import AccessRequest
from access.models import OneTimeToken, TokenPurpose
from access.sign_in import find_root
from access.views.entering import enter
from accounts.models import Account
from accounts.services import create_account
from audit.actions import public
from audit.errors import ServiceError
from audit.principal import anonymous


@public("nobody exists yet: the one-time link from the server's terminal opens the first account")
@never_cache
def set_up(request: AccessRequest, token: str) -> HttpResponse:
    if request.method == "POST":
        throttle.step_try(throttle.STEPS_FROM_ADDRESS, request.origin.address)
    row = one_time.look_up(token, TokenPurpose.SET_UP)
    if row is None or one_time.was_ever_opened():
        return render(request, "access/set_up_over.html", status=404)
    strength = reverse("access:password-strength")
    form = SetUpForm(request.POST if request.method == "POST" else None, strength=strength)
    if form.is_valid():
        try:
            account = _open(request, row, form)
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            if account is None:
                return render(request, "access/set_up_over.html", status=404)
            messages.success(request, f"The account {account.name} is open. Its id is {account.id}.")
            return enter(request, find_root(form.cleaned_data["email"]), "")
    return render(request, "access/set_up.html", {"form": form, "token": token})


@transaction.atomic
def _open(request: AccessRequest, row: OneTimeToken, form: SetUpForm) -> Account | None:
    """None when another request was faster. A refused name or password leaves the link as it was."""
    if not one_time.redeem(row) or not one_time.close_set_up():
        transaction.set_rollback(True)
        return None
    data = form.cleaned_data
    return create_account(
        by=anonymous(request.origin),
        name=data["name"],
        email=data["email"],
        password=data["password"],
        alias=data["alias"] or None,
    )
