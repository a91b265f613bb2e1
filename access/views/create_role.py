"""Creating a role, which begins with the question who will use it. The state of the steps stands in the address, so
that the back button works and nothing is lost. Only the last step writes."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from access import role_uses
from access.carried_text import LONGEST_PACKED, packed, unpacked
from access.forms.new_role import FORMS, BrokerForm, NewRoleForm, SAMLForm, UseForm, UsersForm, WebForm
from accounts.models import Account
from audit.actions import recently_signed_in, requires
from audit.errors import ServiceError
from audit.http import ConsoleRequest
from federation.models import OIDCProvider, SAMLProvider
from identities.forms.groups import chosen_names
from identities.forms.roles import TrustForm
from identities.models import Role
from identities.models.roles import role_arn
from identities.models.users import user_arn
from identities.services.new_groups import users_by_name
from identities.services.roles import SHORTEST_SESSION
from identities.services.trust import checked_trust
from identities.views.choosing import policy_choices, user_choices
from policies.views.editing import VALIDATE, editor, kept, refuse_on_form

ANSWERS = ("users", "mfa", "account", "external_id", "provider", "audience", "subject")
CHOICES = ("policies", "boundary")
DETAILS = ("name", "description", "hours", "path", "tags", "profile")
CARRIED = ("who", *ANSWERS, "trust", *CHOICES, *DETAILS, "way")
MOST = 20
LIST_OIDC, LIST_SAML = "iam:ListOpenIDConnectProviders", "iam:ListSAMLProviders"


@requires("iam:CreateRole", creates=True)
@require_safe
def create_role(request: ConsoleRequest) -> HttpResponse:
    cards = [(use, _after_who(request.GET, use)) for use in role_uses.USES]
    return render(request, "access/create_role.html", {"cards": cards, "chosen": request.GET.get("who", "")})


def _after_who(query: QueryDict, use: role_uses.Use) -> str:
    """Another use asks other questions: its answers begin anew, what the role may do and is called stays."""
    state = query.copy()
    if query.get("who") != use.key:
        for name in (*ANSWERS, "trust", "profile"):
            state.pop(name, None)
    state["who"] = use.key
    return address("access:create-role-who" if use.asks else "access:create-role-trust", state)


@requires("iam:CreateRole", creates=True, also=("iam:ListUsers", LIST_OIDC, LIST_SAML))
@require_safe
def create_role_who(request: ConsoleRequest) -> HttpResponse:
    query = request.GET
    form = use_form(request, asked="go" in query or any(name in query for name in ANSWERS))
    if form is None:
        return redirect(address("access:create-role", query))
    if query.get("go") == "trust" and form.is_valid():
        state = query.copy()
        state.pop("trust", None)
        return redirect(address("access:create-role-trust", state))
    who, search = query["who"], query.get("q", "").strip()[:128]
    context = {
        "use": role_uses.BY_KEY[who],
        "form": form,
        "list": user_choices(request, chosen_names(query, "users"), search) if who in ("user", "broker") else None,
        "way": "users",
        "search": search,
        "hidden": carried(query, ("who", *CHOICES, *DETAILS, "way")),
        "back": address("access:create-role", query),
    }
    return render(request, "access/create_role_who.html" + ("#choices" if request.htmx else ""), context)


def use_form(request: ConsoleRequest, *, asked: bool) -> UseForm | None:
    """The questions about the use that was chosen; None for a use without questions."""
    kind = FORMS.get(request.GET.get("who", ""))
    if kind is None:
        return None
    form = kind(request.GET if asked else None)
    form.account_id = request.principal.account_id
    if isinstance(form, (UsersForm, BrokerForm)):
        form.arns = _arns(request)
    elif isinstance(form, WebForm):
        own = OIDCProvider.objects.filter(account_id=form.account_id).order_by("url")
        rows = [(row.arn, row.url) for row in own] if request.gate.may(LIST_OIDC, "*").allowed else []
        form.offer([*rows, *WebForm.BUILT_IN])
    elif isinstance(form, SAMLForm):
        companies = SAMLProvider.objects.filter(account_id=form.account_id).order_by("name")
        form.offer([(row.arn, row.name) for row in companies] if request.gate.may(LIST_SAML, "*").allowed else [])
    return form


def _arns(request: ConsoleRequest) -> list[str]:
    """The ticked users' ARNs. Whoever may not list users gets the ARN that the name alone gives."""
    account_id, names = request.principal.account_id, chosen_names(request.GET, "users")
    found = users_by_name(account_id, names) if request.gate.may("iam:ListUsers", "*").allowed else {}
    rows = {name: found.get(name) for name in names}
    return [row.arn if row else user_arn(account_id, "/", name) for name, row in rows.items()]


@requires("iam:CreateRole", creates=True, also=(VALIDATE,))
@recently_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create_role_trust(request: ConsoleRequest) -> HttpResponse:
    """The document comes by POST, for it is long; nothing is written yet."""
    query = request.GET
    start = unpacked(query.get("trust", "")) or _written(request)
    if not start:
        return redirect(address("access:create-role-who", query))
    account = Account.objects.get(pk=request.principal.account_id)
    form = kept(request, TrustForm(request.POST if request.method == "POST" else None, initial={"document": start}))
    findings: Any = None
    if form.is_valid():
        try:
            checked_trust(form.cleaned_data["document"], account)
        except ServiceError as error:
            findings = refuse_on_form(form, error)
        else:
            state = query.copy()
            state["trust"] = packed(form.cleaned_data["document"])
            if len(state["trust"]) <= LONGEST_PACKED:
                return redirect(address("access:create-role-permissions", state))
            form.add_error("document", "That is a long document for this step: shorten it here and add to it later.")
    asks = role_uses.BY_KEY[query["who"]].asks
    context = {
        "use": role_uses.BY_KEY[query["who"]],
        "form": form,
        "editor": editor(request, form, account.quota("trust_policy_characters"), findings=findings, kind="trust"),
        "back": address("access:create-role-who" if asks else "access:create-role", query),
    }
    return render(request, "access/create_role_trust.html", context)


def _written(request: ConsoleRequest) -> str:
    """The trust policy that the answers give; '' where answers are missing."""
    who = request.GET.get("who", "")
    if who == "machine":
        return role_uses.for_machines()
    if who == "custom":
        return role_uses.for_users(request.principal.account_id, (), mfa=False)
    form = use_form(request, asked=True)
    return form.document() if form is not None and form.is_valid() else ""


@requires("iam:CreateRole", creates=True, also=("iam:ListPolicies",))
@require_safe
def create_role_permissions(request: ConsoleRequest) -> HttpResponse:
    query = request.GET
    if not unpacked(query.get("trust", "")):
        return redirect(address("access:create-role-trust", query))
    chosen = chosen_names(query, "policies")
    most = Account.objects.get(pk=request.principal.account_id).quota("policies_per_role")
    problem = ""
    if len(chosen) > min(most, MOST):
        problem = f"A role begins with at most {min(most, MOST)} policies, and {len(chosen)} are chosen: untick some."
    if query.get("go") == "details" and not problem:
        return redirect(address("access:create-role-details", query))
    way = "boundary" if query.get("way") == "boundary" else "policies"
    search = query.get("q", "").strip()[:128] if query.get("shown") == way else ""
    boundary = query.get("boundary", "")
    context = {
        "list": policy_choices(request, chosen if way == "policies" else filter(None, [boundary]), search),
        "choices": {"policies": chosen, "boundary": boundary},
        "way": way,
        "search": search,
        "problem": problem,
        "hidden": [
            *carried(query, ("who", *ANSWERS, "trust", *DETAILS, "boundary" if way == "policies" else "policies")),
            ("shown", way),
        ],
        "back": address("access:create-role-trust", query),
    }
    return render(request, "access/create_role_permissions.html" + ("#choices" if request.htmx else ""), context)


@requires("iam:CreateRole", creates=True)
@require_safe
def create_role_details(request: ConsoleRequest) -> HttpResponse:
    query = request.GET
    if not unpacked(query.get("trust", "")):
        return redirect(address("access:create-role-trust", query))
    for_machine = query.get("who") == "machine"
    start = {"path": "/", "hours": SHORTEST_SESSION, "profile": True}
    form = NewRoleForm(query if "name" in query else None, initial=start, for_machine=for_machine)
    if query.get("go") == "review" and form.is_valid() and not _name_is_taken(request, form):
        return redirect(address("access:create-role-review", query))
    context = {
        "form": form,
        "hidden": carried(query, ("who", *ANSWERS, "trust", *CHOICES, "way")),
        "back": address("access:create-role-permissions", query),
    }
    return render(request, "access/create_role_details.html", context)


def _name_is_taken(request: ConsoleRequest, form: NewRoleForm) -> bool:
    """Say it early, but only to somebody who would be told in the end as well."""
    account_id, name = request.principal.account_id, form.cleaned_data["name"]
    taken = Role.objects.filter(account_id=account_id, name_key=name.lower()).exists()
    if taken and request.gate.may("iam:CreateRole", role_arn(account_id, form.cleaned_data["path"], name)).allowed:
        form.add_error("name", f"Role with name {name} already exists.")
        return True
    return False


def carried(query: QueryDict, names: Iterable[str]) -> list[tuple[str, str]]:
    """The state that a form of this step has no field for, as hidden fields."""
    return [(name, value) for name in names for value in query.getlist(name)]


def address(url_name: str, query: QueryDict) -> str:
    """Another step with the same state; what is not of the state (a search, a button) falls away."""
    state = [(name, value) for name in CARRIED for value in dict.fromkeys(query.getlist(name))]
    return f"{reverse(url_name)}?{urlencode(state)}"
