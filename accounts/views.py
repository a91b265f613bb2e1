from typing import Any

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import email_change, services
from accounts.forms import AccountNameForm, AliasForm, PasswordPolicyForm, RootEmailForm
from accounts.models import Account, PasswordPolicy
from accounts.passwords import password_policy_of
from audit.actions import recently_signed_in, requires
from audit.errors import ConcurrentModification, InvalidUserType, ServiceError
from audit.http import ConsoleRequest

SETTINGS = "accounts:get-account-settings"
CREATE_ALIAS, DELETE_ALIAS = "iam:CreateAccountAlias", "iam:DeleteAccountAlias"
READ_POLICY = "iam:GetAccountPasswordPolicy"
UPDATE_POLICY, DELETE_POLICY = "iam:UpdateAccountPasswordPolicy", "iam:DeleteAccountPasswordPolicy"


@requires(READ_POLICY, also=(CREATE_ALIAS, DELETE_ALIAS, UPDATE_POLICY, DELETE_POLICY))
@require_safe
def get_account_settings(request: ConsoleRequest) -> HttpResponse:
    return _settings(request)


def _settings(request: ConsoleRequest, **forms: Form) -> HttpResponse:
    """The page; a form with errors takes the place of a fresh one."""
    account = _account(request)
    may = {name: request.gate.may(action, "*").allowed for name, action in _BUTTONS.items()}
    context: dict[str, Any] = {
        "policy": password_policy_of(account.id) if may["read_policy"] else None,
        "sign_in_url": f"{settings.SITE_URL}/signin/{account.sign_in_name}/",
        "name_form": AccountNameForm(initial={"name": account.name}),
        "alias_form": AliasForm(initial={"alias": account.alias}),
        "email_form": RootEmailForm(),
        "may": may,
        **forms,
    }
    return render(request, "accounts/settings.html", context)


_BUTTONS = {
    "read_policy": READ_POLICY,
    "create_alias": CREATE_ALIAS,
    "delete_alias": DELETE_ALIAS,
    "update_policy": UPDATE_POLICY,
    "delete_policy": DELETE_POLICY,
}


@requires("account:PutAccountName")
@require_POST
def put_account_name(request: ConsoleRequest) -> HttpResponse:
    form = AccountNameForm(request.POST)
    if form.is_valid():
        try:
            account = services.rename_account(by=request.principal, name=form.cleaned_data["name"])
        except InvalidUserType:
            raise
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The account is called {account.name} now.")
            return redirect(SETTINGS)
    return _settings(request, name_form=form)


@requires(CREATE_ALIAS)
@require_POST
def create_account_alias(request: ConsoleRequest) -> HttpResponse:
    form = AliasForm(request.POST)
    if form.is_valid():
        try:
            account = services.create_account_alias(by=request.principal, alias=form.cleaned_data["alias"])
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The account's alias is {account.alias} now.")
            return redirect(SETTINGS)
    return _settings(request, alias_form=form)


@requires(DELETE_ALIAS)
def delete_account_alias(request: ConsoleRequest) -> HttpResponse:
    account = _account(request)
    if request.method != "POST":
        return render(request, "accounts/delete_alias.html", {"alias": account.alias})
    services.delete_account_alias(by=request.principal, alias=request.POST.get("alias", ""))
    messages.success(request, "The alias is gone. People sign in with the account id now.")
    return redirect(SETTINGS)


@requires(UPDATE_POLICY, also=(READ_POLICY,))
def update_account_password_policy(request: ConsoleRequest) -> HttpResponse:
    form = _policy_form(request)
    if form.is_valid():
        fields = dict(form.cleaned_data)
        try:
            _refuse_stale(request, fields.pop("opened"))
            services.update_account_password_policy(by=request.principal, **fields)
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, "The password policy is saved. Length and kinds count for the next passwords.")
            return redirect(SETTINGS)
    return render(request, "accounts/password_policy.html", {"form": form})


def _policy_form(request: ConsoleRequest) -> PasswordPolicyForm:
    if request.method == "POST":
        return PasswordPolicyForm(request.POST)
    request.gate.require(READ_POLICY, "*")
    policy = password_policy_of(request.principal.account_id)
    facts = {name: value or None for name, value in (services.policy_facts(policy) or _fresh_policy()).items()}
    return PasswordPolicyForm(initial={**facts, "opened": _version(policy)})


def _refuse_stale(request: ConsoleRequest, opened: str) -> None:
    """A policy is replaced as a whole: what somebody else saved meanwhile must not vanish unseen."""
    if opened != _version(password_policy_of(request.principal.account_id)):
        raise ConcurrentModification("Somebody else changed the policy while this page was open. Open it again.")


def _version(policy: PasswordPolicy | None) -> str:
    return policy.updated_at.isoformat() if policy else ""


def _fresh_policy() -> dict[str, int | bool]:
    """What a new policy begins with here: long passwords that people may change, and nothing else."""
    facts = services.policy_facts(PasswordPolicy()) or {}
    return {**facts, "minimum_password_length": 15, "allow_users_to_change_password": True}


@requires(DELETE_POLICY)
def delete_account_password_policy(request: ConsoleRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "accounts/delete_password_policy.html")
    services.delete_account_password_policy(by=request.principal)
    messages.success(request, "The password policy is gone. The built-in rules apply again.")
    return redirect(SETTINGS)


@requires("account:StartPrimaryEmailUpdate")
@require_POST
@recently_signed_in
def start_primary_email_update(request: ConsoleRequest) -> HttpResponse:
    form = RootEmailForm(request.POST)
    if form.is_valid():
        email = form.cleaned_data["email"]
        root_user, count_mail = _account(request).root_user, request.count_mail
        try:
            email_change.start(by=request.principal, root_user=root_user, email=email, count_mail=count_mail)
        except InvalidUserType:
            raise
        except ServiceError as error:
            form.add_error("email", error.message)
        else:
            messages.success(request, f"A mail went to {email}. The address changes when its link is opened.")
            return redirect(SETTINGS)
    return _settings(request, email_form=form)


@requires("account:AcceptPrimaryEmailUpdate")
@recently_signed_in
def accept_primary_email_update(request: ConsoleRequest, sealed: str) -> HttpResponse:
    root_user = _account(request).root_user
    if request.method != "POST":
        email = email_change.wanted(root_user, sealed)
        return render(request, "accounts/accept_email.html", {"email": email, "old": root_user.email, "sealed": sealed})
    email_change.accept(by=request.principal, root_user=root_user, sealed=sealed)
    messages.success(request, "The root user's e-mail address is changed.")
    return redirect(SETTINGS)


def _account(request: ConsoleRequest) -> Account:
    return Account.objects.select_related("root_user").get(pk=request.principal.account_id)
