"""Services that the account protects with its own prefixes: list, register, look at, change, remove."""

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirming import TypedNameForm
from audit.actions import requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from policies import own_services
from policies.engine.catalog_types import open_pattern
from policies.forms import ServiceForm, ValidationSettingsForm
from policies.models import RegisteredService, service_arn
from policies.views.editing import refuse_on_form

PAGE = 50
UPDATE_SETTINGS = "iamconsole:UpdateValidationSettings"


@requires("iamconsole:ListServices", also=(UPDATE_SETTINGS,))
@require_safe
def list_services(request: ConsoleRequest) -> HttpResponse:
    account_id = request.principal.account_id
    search = request.GET.get("q", "").strip()[:100]
    services = RegisteredService.objects.filter(account_id=account_id).order_by("prefix")
    if search:
        services = services.filter(Q(prefix__icontains=search) | Q(name__icontains=search))
    warns = own_services.warns_about_unknown_services(account_id)
    context = {
        "page": Paginator(services, PAGE).get_page(request.GET.get("page")),
        "search": search,
        "settings_form": ValidationSettingsForm(initial={"warn_about_unknown_services": warns}),
        "may_change_settings": request.gate.may(UPDATE_SETTINGS, "*").allowed,
        "warns": warns,
    }
    return render(request, "policies/list_services.html" + ("#rows" if request.htmx else ""), context)


@requires(UPDATE_SETTINGS)
@require_POST
def update_validation_settings(request: ConsoleRequest) -> HttpResponse:
    form = ValidationSettingsForm(request.POST)
    if form.is_valid():
        own_services.update_validation_settings(by=request.principal, **form.cleaned_data)
        messages.success(request, "The setting is saved; it counts the next time a document is looked at.")
    return redirect("policies:list-services")


@requires("iamconsole:CreateService", creates=True)
@require_http_methods(["GET", "HEAD", "POST"])
def create_service(request: ConsoleRequest) -> HttpResponse:
    form = ServiceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        request.gate.require(
            "iamconsole:CreateService", service_arn(request.principal.account_id, data["service_prefix"])
        )
        try:
            service = own_services.create_service(
                by=request.principal, prefix=data["service_prefix"], name=data["name"], definition=data["definition"]
            )
        except ServiceError as error:
            refuse_on_form(form, error)
        else:
            messages.success(request, f"The service {service.prefix} is registered: policies can name its actions.")
            return redirect("policies:get-service", service.prefix)
    return render(request, "policies/create_service.html", {"form": form})


@requires("iamconsole:GetService", "service")
@require_safe
def get_service(request: ConsoleRequest, service: RegisteredService) -> HttpResponse:
    context = {"service": service, "json": json.dumps(service.definition, indent=2), "example": _example(service)}
    return render(request, "policies/get_service.html", context)


def _example(service: RegisteredService) -> str:
    """A statement to start from."""
    action = service.definition["actions"][0]
    kinds = {each["name"]: each["arn"] for each in service.definition["resource_types"]}
    resource = next((kinds[name] for name in action["resource_types"] if name in kinds), "*")
    for placeholder, value in (("${Partition}", "aws"), ("${Account}", service.account_id)):
        resource = resource.replace(placeholder, value)
    resource = open_pattern(resource)
    statement = {"Effect": "Allow", "Action": f"{service.prefix}:{action['name']}", "Resource": resource}
    return json.dumps(statement, indent=2)


@requires("iamconsole:UpdateService", "service")
@require_http_methods(["GET", "HEAD", "POST"])
def update_service(request: ConsoleRequest, service: RegisteredService) -> HttpResponse:
    form = ServiceForm(request.POST if request.method == "POST" else None, service=service)
    if form.is_valid():
        data = form.cleaned_data
        try:
            own_services.update_service(
                by=request.principal, service=service, name=data["name"], definition=data["definition"]
            )
        except ServiceError as error:
            refuse_on_form(form, error)
        else:
            messages.success(request, f"The service {service.prefix} is changed.")
            return redirect("policies:get-service", service.prefix)
    return render(request, "policies/update_service.html", {"form": form, "service": service})


@requires("iamconsole:DeleteService", "service")
@require_http_methods(["GET", "HEAD", "POST"])
def delete_service(request: ConsoleRequest, service: RegisteredService) -> HttpResponse:
    form = TypedNameForm(request.POST if request.method == "POST" else None, name=service.prefix, what="prefix")
    if form.is_valid():
        own_services.delete_service(by=request.principal, service=service)
        messages.success(request, f"The service {service.prefix} is no longer registered.")
        return redirect("policies:list-services")
    context = {"form": form, "service": service, "uses": own_services.uses_of_service(service)}
    return render(request, "policies/delete_service.html", context)
