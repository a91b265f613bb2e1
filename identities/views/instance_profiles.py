"""Instance profiles: the list, the page of one, making and deleting them, and the role in it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import tag_pages
from accounts.tag_pages import TagForm
from accounts.tags import first_with_prefetched_tags
from audit.actions import requires
from audit.errors import AccessDenied, ServiceError
from audit.http import ConsoleRequest, require_hiding
from database.prefetch import related_rows
from identities.forms.machines import ConfirmNameForm, InstanceProfileForm, PutRoleForm
from identities.models import InstanceProfile
from identities.models.roles import instance_profile_arn
from identities.panels import panel
from identities.resource_tags import resource_tags
from identities.services import instance_profiles as profiles
from identities.services.trusted_entities import trusts_machines
from identities.views.passing_roles import GET_PROFILE, LIST_PROFILES, LIST_ROLES, PASS, offered_roles, passed_role

PAGE = 50
# The page of a profile names the first of its machines; the list of machines finds the rest.
SHOWN = 20
CREATE, DELETE = "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile"
ADD, REMOVE = "iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile"
TAG, UNTAG = "iam:TagInstanceProfile", "iam:UntagInstanceProfile"
LIST_MACHINES = "iamconsole:ListMachines"


@requires(LIST_PROFILES, also=(LIST_MACHINES,))
@require_safe
def list_instance_profiles(request: ConsoleRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()[:128]
    wanted = Q(name_key__contains=search.lower()) | Q(role__name_key__contains=search.lower())
    found = InstanceProfile.objects.filter(wanted, account_id=request.principal.account_id).select_related("role")
    found = found.annotate(used_by=Count("machines")).order_by("name_key")
    context = {
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "search": search,
        "shows_machines": request.gate.may(LIST_MACHINES, "*").allowed,
    }
    return render(request, "identities/list_instance_profiles.html" + ("#rows" if request.htmx else ""), context)


@requires(CREATE, creates=True, also=(ADD, PASS, LIST_ROLES))
@require_http_methods(["GET", "HEAD", "POST"])
def create_instance_profile(request: ConsoleRequest) -> HttpResponse:
    opened = {name: request.GET.get(name, "")[:128] for name in ("name", "role")}
    offered = offered_roles(request)
    form = InstanceProfileForm(request.POST if request.method == "POST" else None, initial=opened, offered=offered)
    if form.is_valid():
        try:
            profile = _created(request, **form.cleaned_data)
        except AccessDenied:
            raise
        except ServiceError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, f"The instance profile {profile.name} is there. Give it to a machine next.")
            if request.gate.may(GET_PROFILE, profile.arn, resource_tags(profile)).allowed:
                return redirect("identities:get-instance-profile", profile.name)
            return redirect("identities:list-instance-profiles")
    return render(request, "identities/create_instance_profile.html", {"form": form})


@transaction.atomic
def _created(request: ConsoleRequest, *, name: str, role: str) -> InstanceProfile:
    arn = instance_profile_arn(request.principal.account_id, "/", name)
    request.gate.require(CREATE, arn)
    if role:
        request.gate.require(ADD, arn)
    handed = passed_role(request, role, to=arn) if role else None
    profile = profiles.create_instance_profile(by=request.principal, name=name)
    if handed is not None:
        profiles.add_role_to_instance_profile(by=request.principal, profile=profile, role=handed)
    return profile


@requires(GET_PROFILE, "instance_profile", also=(ADD, REMOVE, DELETE, TAG, UNTAG, LIST_MACHINES, LIST_ROLES))
@require_safe
def get_instance_profile(request: ConsoleRequest, instance_profile: InstanceProfile) -> HttpResponse:
    return _page(request, instance_profile, PutRoleForm(offered=offered_roles(request)))


def _page(
    request: ConsoleRequest, profile: InstanceProfile, form: PutRoleForm, tag_form: TagForm | None = None
) -> HttpResponse:
    keys, tags = resource_tags(profile), {tag.key: tag.value for tag in related_rows(profile, "tags")}
    machines = panel(request.gate, LIST_MACHINES, "*")
    actions = {"add": ADD, "remove": REMOVE, "delete": DELETE}
    having = profile.machines.order_by("name_key")
    context = {
        "profile": profile,
        "form": form,
        "machines_panel": machines,
        "machines": having[:SHOWN] if machines.allowed else (),
        "more": max(0, having.count() - SHOWN),
        "is_let_in": profile.role is None or trusts_machines(profile.role.document),
        "may": {name: request.gate.may(action, profile.arn, keys).allowed for name, action in actions.items()},
        "may_tag": request.gate.might(TAG),
        "may_untag": request.gate.might(UNTAG),
        **tag_pages.shown(tags, request, limit=profile.account.quota("tags"), form=tag_form),
    }
    return render(request, "identities/get_instance_profile.html", context)


@requires(ADD, "instance_profile", also=(GET_PROFILE, REMOVE, DELETE, LIST_MACHINES, PASS, LIST_ROLES))
@require_POST
def add_role_to_instance_profile(request: ConsoleRequest, instance_profile: InstanceProfile) -> HttpResponse:
    profile = instance_profile
    request.gate.require(GET_PROFILE, profile.arn, resource_tags(profile))
    form = PutRoleForm(request.POST, offered=offered_roles(request))
    if form.is_valid():
        try:
            role = passed_role(request, form.cleaned_data["role"], to=profile.arn)
            profiles.add_role_to_instance_profile(by=request.principal, profile=profile, role=role)
        except AccessDenied:
            raise
        except ServiceError as error:
            form.add_error("role", error.message)
        else:
            messages.success(request, f"The role {role.name} is in the profile. Its machines notice within a minute.")
            return redirect("identities:get-instance-profile", profile.name)
    return _page(request, profile, form)


@requires(REMOVE, "instance_profile", also=(GET_PROFILE,))
@require_http_methods(["GET", "HEAD", "POST"])
def remove_role_from_instance_profile(request: ConsoleRequest, instance_profile: InstanceProfile) -> HttpResponse:
    profile = instance_profile
    request.gate.require(GET_PROFILE, profile.arn, resource_tags(profile))
    if request.method == "POST" and profile.role is not None:
        role = profile.role
        profiles.remove_role_from_instance_profile(by=request.principal, profile=profile, role=role)
        messages.success(request, f"The role {role.name} is out of the profile, and its machines' credentials ended.")
        return redirect("identities:get-instance-profile", profile.name)
    context = {"profile": profile, "count": profile.machines.count()}
    return render(request, "identities/remove_role_from_instance_profile.html", context)


@requires(DELETE, "instance_profile", also=(GET_PROFILE, REMOVE))
@require_http_methods(["GET", "HEAD", "POST"])
def delete_instance_profile(request: ConsoleRequest, instance_profile: InstanceProfile) -> HttpResponse:
    profile, keys = instance_profile, resource_tags(instance_profile)
    request.gate.require(GET_PROFILE, profile.arn, keys)
    form = ConfirmNameForm(request.POST if request.method == "POST" else None, name=profile.name)
    if form.is_valid():
        if profile.role is not None:
            request.gate.require(REMOVE, profile.arn, keys)
        profiles.delete_instance_profile_with_role(by=request.principal, profile=profile)
        messages.success(request, f"The instance profile {profile.name} is gone.")
        return redirect("identities:list-instance-profiles")
    context: dict[str, Any] = {"profile": profile, "form": form, "count": profile.machines.count()}
    return render(request, "identities/delete_instance_profile.html", context)


# The address word comes to these two as it is (`creates`): see `accounts.tag_pages`.
@requires(TAG, creates=True, also=(GET_PROFILE, ADD, REMOVE, DELETE, LIST_MACHINES, LIST_ROLES))
@require_POST
def tag_instance_profile(request: ConsoleRequest, profile_name: str) -> HttpResponse:
    def page(profile: InstanceProfile, form: TagForm) -> HttpResponse:
        request.gate.require(GET_PROFILE, profile.arn, resource_tags(profile))
        return _page(request, profile, PutRoleForm(offered=offered_roles(request)), form)

    return tag_pages.tag(
        request,
        permitted=lambda keys: _permitted(request, TAG, profile_name, keys),
        put=lambda profile, tags: profiles.tag_instance_profile(by=request.principal, profile=profile, tags=tags),
        back=_page_of,
        page=page,
    )


@requires(UNTAG, creates=True)
@require_POST
def untag_instance_profile(request: ConsoleRequest, profile_name: str) -> HttpResponse:
    return tag_pages.untag(
        request,
        permitted=lambda keys: _permitted(request, UNTAG, profile_name, keys),
        drop=lambda profile, keys: profiles.untag_instance_profile(by=request.principal, profile=profile, keys=keys),
        back=_page_of,
    )


def _permitted(request: ConsoleRequest, action: str, name: str, keys: Mapping[str, Any]) -> InstanceProfile:
    """The profile of the address, once the gate has allowed the action on it; refused before it is missing."""
    account_id = request.principal.account_id
    rows = InstanceProfile.objects.filter(account_id=account_id, name_key=name.lower())
    profile = first_with_prefetched_tags(rows.select_related("account", "role__boundary"))
    own = resource_tags(profile) if profile else {}
    asked = instance_profile_arn(account_id, "/", name)
    require_hiding(request, action, profile.arn if profile else None, asked, {**own, **keys})
    if profile is None:
        raise Http404("There is no instance profile with that name in this account.")
    return profile


def _page_of(profile: InstanceProfile) -> str:
    return reverse("identities:get-instance-profile", args=[profile.name])
