from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.passwords import generate_password, password_policy_of
from audit.actions import recently_signed_in, requires
from audit.http import ConsoleRequest
from identities.credential_files import password_csv, sign_in_address
from identities.models import User
from identities.services import login_profiles
from identities.views.access_keys import credentials_page


@requires("iam:CreateLoginProfile", "user")
@recently_signed_in
def create_login_profile(request: ConsoleRequest, user: User) -> HttpResponse:
    if request.method != "POST":
        return _ask(request, user, "create")
    password = generate_password(password_policy_of(user.account_id))
    login_profiles.create_login_profile(
        by=request.principal, user=user, password=password, password_reset_required=True
    )
    return _show_password(request, user, password)


@requires("iam:UpdateLoginProfile", "user")
@recently_signed_in
def update_login_profile(request: ConsoleRequest, user: User) -> HttpResponse:
    """Reset: a generated password, so that nobody but the user ever knows the one they use."""
    login_profiles.get_login_profile(user)
    if request.method != "POST":
        return _ask(request, user, "update")
    password = generate_password(password_policy_of(user.account_id))
    login_profiles.update_login_profile(
        by=request.principal, user=user, password=password, password_reset_required=True
    )
    return _show_password(request, user, password)


@requires("iam:DeleteLoginProfile", "user")
@recently_signed_in
def delete_login_profile(request: ConsoleRequest, user: User) -> HttpResponse:
    login_profiles.get_login_profile(user)
    if request.method != "POST":
        return _ask(request, user, "delete")
    login_profiles.delete_login_profile(by=request.principal, user=user)
    messages.success(request, f"{user.name} has no console password any more, and was signed out everywhere.")
    return redirect(credentials_page(user))


def _ask(request: ConsoleRequest, user: User, step: str) -> HttpResponse:
    context = {"user": user, "tab": "credentials", "step": step, "keys": user.access_keys.count()}
    return render(request, "identities/credentials_password.html", context)


def _show_password(request: ConsoleRequest, user: User, password: str) -> HttpResponse:
    context = {
        "user": user,
        "tab": "credentials",
        "password": password,
        "csv": password_csv(user, password),
        "sign_in_address": sign_in_address(user.account.sign_in_name),
    }
    return render(request, "identities/credentials_password_made.html", context)
