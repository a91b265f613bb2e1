from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Account
from audit.actions import requires
from audit.errors import ConcurrentModification, NoSuchEntity, ServiceError
from audit.http import ConsoleRequest
from policies import services
from policies.comparing import compared
from policies.documents import readable
from policies.forms import VersionForm
from policies.models import ManagedPolicy, PolicyVersion
from policies.starters import starter
from policies.views.editing import VALIDATE, editor, kept, refuse_on_form, typed
from policies.views.policies import denial_of


@requires("iam:ListPolicyVersions", "policy")
@require_safe
def list_policy_versions(request: ConsoleRequest, policy: ManagedPolicy) -> HttpResponse:
    versions = list(policy.versions.order_by("-number"))
    limit = _account(request).quota("policy_versions")
    return render(
        request, "policies/list_policy_versions.html", {"policy": policy, "versions": versions, "limit": limit}
    )


@requires("iam:GetPolicyVersion", "policy")
@require_safe
def get_policy_version(request: ConsoleRequest, policy: ManagedPolicy, version_id: str) -> HttpResponse:
    version = version_of(policy, version_id)
    context = {"policy": policy, "version": version, "document": readable(version.document)}
    return render(request, "policies/get_policy_version.html", context)


@requires("iam:GetPolicyVersion", "policy")
@require_safe
def get_policy_version_changes(request: ConsoleRequest, policy: ManagedPolicy) -> HttpResponse:
    """Two versions compared; without a choice the newest with the default, or with the one before it."""
    versions = list(policy.versions.order_by("-number"))
    default = next(version for version in versions if version.is_default)
    newest = versions[0]
    before = default if default != newest else versions[min(1, len(versions) - 1)]
    old = version_of(policy, request.GET.get("old", before.version_id))
    new = version_of(policy, request.GET.get("new", newest.version_id))
    lines = compared(old.document, new.document)
    context = {
        "policy": policy,
        "versions": versions,
        "old": old,
        "new": new,
        "lines": lines,
        "added": sum(line.kind == "added" for line in lines),
        "removed": sum(line.kind == "removed" for line in lines),
    }
    return render(request, "policies/get_policy_version_changes.html", context)


@requires("iam:CreatePolicyVersion", "policy", also=("iam:GetPolicyVersion", VALIDATE))
@require_http_methods(["GET", "HEAD", "POST"])
def create_policy_version(request: ConsoleRequest, policy: ManagedPolicy) -> HttpResponse:
    form = VersionForm(request.POST) if request.method == "POST" else VersionForm(initial=_start(request, policy))
    form = kept(request, form)
    findings, newer = None, None
    if form.is_valid():
        try:
            version = services.create_policy_version(by=request.principal, policy=policy, **form.cleaned_data)
        except ServiceError as error:
            findings = refuse_on_form(form, error)
            newer = _newer(request, policy, form) if isinstance(error, ConcurrentModification) else None
        else:
            counts = " and counts from now on" if version.is_default else "; another version still counts"
            messages.success(request, f"Version {version.version_id} is stored{counts}.")
            return redirect("policies:list-policy-versions", policy.scope, policy.name)
    account = _account(request)
    context = {
        "form": form,
        "policy": policy,
        "newer": newer,
        "full": policy.versions.count() >= account.quota("policy_versions"),
        "editor": editor(request, form, account.quota("policy_characters"), findings=findings),
    }
    return render(request, "policies/create_policy_version.html", context)


def _start(request: ConsoleRequest, policy: ManagedPolicy) -> dict[str, Any]:
    """The document that counts now, for somebody who may read it."""
    denial = denial_of(request, "iam:GetPolicyVersion", policy)
    document = starter("") if denial else readable(services.default_document(policy))
    return {"document": document, "set_as_default": True, "newest_seen": policy.newest_version}


def _newer(request: ConsoleRequest, policy: ManagedPolicy, form: VersionForm) -> PolicyVersion | None:
    """What somebody else stored meanwhile. The form goes on from there: saving again is then a decision."""
    policy.refresh_from_db()
    form.data = typed(form) | {"newest_seen": str(policy.newest_version)}
    denial = denial_of(request, "iam:GetPolicyVersion", policy)
    return None if denial else policy.versions.order_by("number").last()


@requires("iam:SetDefaultPolicyVersion", "policy")
@require_POST
def set_default_policy_version(request: ConsoleRequest, policy: ManagedPolicy, version_id: str) -> HttpResponse:
    services.set_default_policy_version(by=request.principal, policy=policy, version=version_of(policy, version_id))
    messages.success(request, f"{version_id} counts from now on, for everything that {policy.name} is attached to.")
    return redirect("policies:list-policy-versions", policy.scope, policy.name)


@requires("iam:DeletePolicyVersion", "policy")
@require_POST
def delete_policy_version(request: ConsoleRequest, policy: ManagedPolicy, version_id: str) -> HttpResponse:
    services.delete_policy_version(by=request.principal, policy=policy, version=version_of(policy, version_id))
    messages.success(request, f"{version_id} of {policy.name} is gone.")
    return redirect("policies:list-policy-versions", policy.scope, policy.name)


def _account(request: ConsoleRequest) -> Account:
    return Account.objects.get(pk=request.principal.account_id)


def version_of(policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    """The version that an address names. Raises NoSuchEntity."""
    digits = version_id.removeprefix("v")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
    version = policy.versions.filter(number=number).first()
    if version is None:
        raise NoSuchEntity(f"The policy {policy.name} has no version {version_id}.")
    return version
