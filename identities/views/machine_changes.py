"""Registering a machine, changing what it is given, a new join token, and removing it."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from audit.actions import recently_signed_in, requires
from audit.errors import AccessDenied, ServiceError
from audit.http import ConsoleRequest
from identities.forms.machines import ConfirmNameForm, MachineForm
from identities.models import InstanceProfile, Machine
from identities.models.machines import machine_arn
from identities.models.roles import role_arn
from identities.services import machines
from identities.views.passing_roles import (
    GET_PROFILE,
    LIST_PROFILES,
    PASS,
    named_profile,
    offered_profiles,
    require_passing,
)

REGISTER, UPDATE, REMOVE = "iamconsole:RegisterMachine", "iamconsole:UpdateMachine", "iamconsole:RemoveMachine"
SEE, NEW_TOKEN = "iamconsole:GetMachine", "iamconsole:CreateMachineJoinToken"
PASSING = (LIST_PROFILES, GET_PROFILE, PASS)


@requires(REGISTER, creates=True, also=PASSING)
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def register_machine(request: ConsoleRequest) -> HttpResponse:
    offered = offered_profiles(request)
    opened = {"profile": request.GET.get("profile", "")[:128]}
    form = MachineForm(request.POST if request.method == "POST" else None, initial=opened, offered=offered)
    if form.is_valid():
        name = form.cleaned_data["name"]
        request.gate.require(REGISTER, machine_arn(request.principal.account_id, name))
        try:
            profile = _given(request, form, name)
            machine, token = machines.register_machine(by=request.principal, name=name, profile=profile)
        except AccessDenied:
            raise
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            return _how_to_join(request, machine, token)
    return render(request, "identities/register_machine.html", {"form": form})


@requires(UPDATE, "machine", also=(SEE, *PASSING))
@require_http_methods(["GET", "HEAD", "POST"])
def update_machine(request: ConsoleRequest, machine: Machine) -> HttpResponse:
    """Renaming takes the permission on both names, as for users."""
    request.gate.require(SEE, machine.arn)
    opened = {"name": machine.name, "profile": machine.profile.name if machine.profile else ""}
    offered = offered_profiles(request)
    form = MachineForm(request.POST if request.method == "POST" else None, initial=opened, offered=offered)
    if form.is_valid():
        name = form.cleaned_data["name"]
        request.gate.require(UPDATE, machine_arn(machine.account_id, name))
        try:
            profile = _given(request, form, name, present=machine.profile)
            machines.update_machine(by=request.principal, machine=machine, name=name, profile=profile)
        except AccessDenied:
            raise
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The machine {name} is changed. Its program notices within a minute.")
            return redirect("identities:get-machine", name)
    return render(request, "identities/update_machine.html", {"form": form, "machine": machine})


def _given(
    request: ConsoleRequest, form: MachineForm, machine_name: str, *, present: InstanceProfile | None = None
) -> InstanceProfile | None:
    """The profile that was typed. A machine that gets one with a role gets the role: that takes iam:PassRole."""
    name = form.cleaned_data["profile"]
    if present is not None and present.name.lower() == name.lower():
        return present
    profile = named_profile(request, name)
    if profile is not None and profile.role is not None:
        require_passing(request, profile.role, to=machine_arn(request.principal.account_id, machine_name))
    return profile


@requires(NEW_TOKEN, "machine", also=(SEE, PASS))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create_machine_join_token(request: ConsoleRequest, machine: Machine) -> HttpResponse:
    """Whoever has the token can be the machine, and so gets its role: that takes iam:PassRole."""
    request.gate.require(SEE, machine.arn)
    if machine.profile is not None and machine.profile.role is not None:
        any_role = role_arn(machine.account_id, "/", "*")
        require_passing(request, machine.profile.role, to=machine.arn, asked=any_role)
    if request.method == "POST":
        token = machines.create_machine_join_token(by=request.principal, machine=machine)
        return _how_to_join(request, machine, token)
    return render(request, "identities/machine_new_token.html", {"machine": machine})


@requires(REMOVE, "machine", also=(SEE,))
@require_http_methods(["GET", "HEAD", "POST"])
def remove_machine(request: ConsoleRequest, machine: Machine) -> HttpResponse:
    request.gate.require(SEE, machine.arn)
    form = ConfirmNameForm(request.POST if request.method == "POST" else None, name=machine.name)
    if form.is_valid():
        machines.remove_machine(by=request.principal, machine=machine)
        messages.success(request, f"The machine {machine.name} is removed, and its credentials have ended.")
        return redirect("identities:list-machines")
    return render(request, "identities/remove_machine.html", {"form": form, "machine": machine})


def _how_to_join(request: ConsoleRequest, machine: Machine, token: str) -> HttpResponse:
    """The token, the only time, and the commands."""
    context = {"machine": machine, "token": token, "console": settings.SITE_URL}
    return render(request, "identities/machine_join.html", context)
