"""Credentials of a user for single services. Which service it is belongs to the question, as on the API."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit import clock
from audit.actions import recently_signed_in, requires
from audit.errors import LimitExceeded
from audit.http import ConsoleRequest, require_hiding
from identities.credential_files import service_credential_csv, service_credential_file_name
from identities.forms.other_credentials import ResetCredentialForm, ServiceCredentialForm
from identities.models import ServiceSpecificCredential, User
from identities.models.users import user_arn
from identities.reading import read_user
from identities.resource_tags import resource_tags, service_key
from identities.services import service_credentials
from identities.services.service_credentials import SERVICES
from identities.views.other_credentials import is_own

PAGE = "identities:list-service-specific-credentials"
CREATE, RESET = "iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential"
UPDATE, DELETE = "iam:UpdateServiceSpecificCredential", "iam:DeleteServiceSpecificCredential"
AGE = "iam:ServiceSpecificCredentialAgeDays"


@requires("iam:ListServiceSpecificCredentials", "user")
@require_safe
def list_service_specific_credentials(request: ConsoleRequest, user: User) -> HttpResponse:
    now = clock.now()
    rows = user.service_specific_credentials.order_by("service", "created_at")
    context = {
        "rows": [{"row": row, "service": SERVICES[row.service], "status": row.status_at(now)} for row in rows],
        "quota": user.account.quota("service_specific_credentials"),
    }
    return _render(request, user, "list", context)


# Conditions may name the service, and it is chosen on the page: the guard can't ask before (`creates`).
@requires(CREATE, creates=True)
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create_service_specific_credential(request: ConsoleRequest, user_name: str) -> HttpResponse:
    user, services = _permitted_services(request, user_name)
    present, status = list(user.service_specific_credentials.all()), 200
    data = request.POST if request.method == "POST" else None
    form = ServiceCredentialForm(data, services=services, present=present)
    if form.is_valid():
        service, days = form.cleaned_data["service"], form.cleaned_data["age_days"]
        age = {AGE: str(days)} if days else {}
        request.gate.require(CREATE, user.arn, {**resource_tags(user), **service_key(service), **age})
        try:
            row, secret = service_credentials.create_service_specific_credential(
                by=request.principal, user=user, service=service, age_days=days
            )
        except LimitExceeded:
            quota, label = user.account.quota("service_specific_credentials"), SERVICES[service].label
            form.add_error("service", f"{user.name} has {quota} for {label} already; delete one of them first.")
            status = 409
        else:
            return _show_secret(request, row, secret)
    return _render(request, user, "create", {"form": form}, status)


def _permitted_services(request: ConsoleRequest, user_name: str) -> tuple[User, list[str]]:
    """The user, and the services for which the caller may make a credential; refused before the user is missing."""
    user = read_user(request.principal.account_id, user_name)
    asked = user_arn(request.principal.account_id, "/", user_name)
    arn, tags = (user.arn, resource_tags(user)) if user else (asked, {})
    services = [each for each in SERVICES if request.gate.may(CREATE, arn, {**tags, **service_key(each)}).allowed]
    if not services:
        require_hiding(
            request, CREATE, user.arn if user else None, asked, {**tags, **service_key(next(iter(SERVICES)))}
        )
    return _there(user), services


@requires(RESET, creates=True)
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def reset_service_specific_credential(request: ConsoleRequest, user_name: str, credential_id: str) -> HttpResponse:
    row = _permitted(request, RESET, user_name, credential_id)
    form = ResetCredentialForm(request.POST if request.method == "POST" else None, credential=row)
    if form.is_valid():
        secret = service_credentials.reset_service_specific_credential(by=request.principal, credential=row)
        return _show_secret(request, row, secret)
    return _render(request, row.user, "reset", {"form": form, "row": row, "service": SERVICES[row.service]})


def _permitted(request: ConsoleRequest, action: str, user_name: str, credential_id: str) -> ServiceSpecificCredential:
    """The credential of the address, once the gate allowed the action with the service that it is for (`creates`)."""
    user = read_user(request.principal.account_id, user_name)
    row = user.service_specific_credentials.filter(pk=credential_id).first() if user else None
    keys = {**(resource_tags(user) if user else {}), **(service_key(row.service) if row else {})}
    asked = user_arn(request.principal.account_id, "/", user_name)
    require_hiding(request, action, user.arn if user else None, asked, keys)
    return _credential(_there(user), credential_id)


@requires(UPDATE, creates=True)
@require_POST
@recently_signed_in
def update_service_specific_credential(request: ConsoleRequest, user_name: str, credential_id: str) -> HttpResponse:
    row, status = _permitted(request, UPDATE, user_name, credential_id), request.POST.get("status", "")
    service_credentials.update_service_specific_credential(by=request.principal, credential=row, status=status)
    messages.success(request, f"The credential {row.pk} is now {row.status.lower()}.")
    return redirect(PAGE, row.user.name)


@requires(DELETE, creates=True)
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_service_specific_credential(request: ConsoleRequest, user_name: str, credential_id: str) -> HttpResponse:
    row = _permitted(request, DELETE, user_name, credential_id)
    if request.method == "POST":
        service_credentials.delete_service_specific_credential(by=request.principal, credential=row)
        messages.success(request, f"The credential {row.pk} is deleted.")
        return redirect(PAGE, row.user.name)
    return _render(request, row.user, "delete", {"row": row, "service": SERVICES[row.service]})


def _there(user: User | None) -> User:
    if user is None:
        raise Http404("There is no user with that name in this account.")
    return user


def _credential(user: User, credential_id: str) -> ServiceSpecificCredential:
    """Raises NoSuchEntity also for a credential of somebody else."""
    rows = user.service_specific_credentials.select_related("user")
    row: ServiceSpecificCredential | None = rows.filter(pk=credential_id).first()
    if row is None:
        raise service_credentials.no_such_credential(credential_id)
    return row


def _show_secret(request: ConsoleRequest, row: ServiceSpecificCredential, secret: str) -> HttpResponse:
    context = {
        "row": row,
        "service": SERVICES[row.service],
        "secret": secret,
        "csv": service_credential_csv(row, secret),
        "file_name": service_credential_file_name(row),
    }
    return _render(request, row.user, "made", context)


def _render(
    request: ConsoleRequest, user: User, page: str, context: dict[str, object], status: int = 200
) -> HttpResponse:
    context |= {"user": user, "own": is_own(request, user)}
    return render(request, f"identities/service_credentials_{page}.html", context, status=status)
