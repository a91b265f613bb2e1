"""The simulator: a matrix of decisions, each with its explanation. Nothing is changed and nothing recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from access import explaining
from access import simulation_inputs as inputs
from access.forms.simulator import CustomForm, PrincipalForm, SimulationForm
from access.http import AccessRequest
from access.simulation import Result, Scenario, Simulation, assumes, known_context
from access.trust import trust_of
from audit.actions import requires
from audit.errors import AccessDenied, ServiceError
from identities.models import Group, Role, User
from identities.models.users import user_arn
from identities.resource_tags import keys_of, resource_tags
from policies.context_keys import keys_asked
from policies.engine import AttachedPolicy, DocumentKind
from policies.engine.catalog import BUILT_IN
from policies.models import document_digest
from policies.views.catalog import catalog_for

PRINCIPAL, CUSTOM = "iam:SimulatePrincipalPolicy", "iam:SimulateCustomPolicy"
LISTED = 500
MOST_KEYS = 40
_VALUE = "value:"
_BADGES = {
    "Allowed": ("Allowed", "bg-green-lt"),
    "ExplicitlyDenied": ("Denied", "bg-red-lt"),
    "ImplicitlyDenied": ("Not allowed", "bg-yellow-lt"),
}
Method = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Cell:
    """One decision in the matrix; `place` names it in the form."""

    place: str
    resource: str
    label: str
    badge: str
    missing: Sequence[str]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Key:
    """A condition key that the policies mention, and the value that is given for it."""

    name: str
    field: str
    value: str
    type: str


@requires(PRINCIPAL, creates=True, also=("iam:ListUsers", "iam:ListRoles", "iam:ListGroups"))
@Method
def simulate_principal_policy(request: AccessRequest) -> HttpResponse:
    """Asked on the principal that is chosen. A link may carry the question: ?principal=…&actions=…"""
    given = request.POST if request.method == "POST" else request.GET
    form = PrincipalForm(given if "actions" in given else None, initial=given.dict(), catalog=catalog_for(request))
    simulated: dict[str, Any] = {}
    if form.is_valid():
        try:
            row = _chosen(request, form.cleaned_data["principal"])
            own = inputs.policies_of_group(row) if isinstance(row, Group) else None
            trusts = _trusts(request, form.cleaned_data["resources"])
            source = inputs.principal_for(row, request)
            own_password = inputs.may_change_own_password(row)
            facts = {"source": source, "own": own, "own_password": own_password, "trusts": trusts}
            scenario, texts = _scenario(form, given, **facts)
            simulated = _simulated(request, form, scenario, texts, row.arn)
        except ServiceError as error:
            if isinstance(error, AccessDenied):
                raise
            form.add_error("principal" if error.code == "NoSuchEntity" else None, error.message)
    return _page(request, {"form": form, "principals": _principals(request), "way": "principal", **simulated})


@requires(CUSTOM)
@Method
def simulate_custom_policy(request: AccessRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = CustomForm(data, initial=request.GET.dict(), catalog=catalog_for(request))
    simulated: dict[str, Any] = {}
    if form.is_valid():
        documents, user = form.cleaned_data["documents"], form.cleaned_data["caller"]
        try:
            added = tuple(inputs.document(text, f"document {number}") for number, text in enumerate(documents, start=1))
            caller = inputs.caller_of(user) if user else None
            trusts = _trusts(request, form.cleaned_data["resources"])
            scenario, texts = _scenario(form, request.POST, added=added, caller=caller, trusts=trusts)
            brought = {document_digest(text): text for text in documents}
            simulated = _simulated(request, form, scenario, texts | brought, user)
        except ServiceError as error:
            form.add_error(None, error.message)
    return _page(request, {"form": form, "way": "custom", **simulated})


def _page(request: AccessRequest, context: dict[str, Any]) -> HttpResponse:
    part = ""
    if request.htmx and not context["form"].errors:
        part = "#cell" if "cell" in request.POST else "#results"
    return render(request, f"access/simulator.html{part}", context)


def _chosen(request: AccessRequest, text: str) -> User | Group | Role:
    """The entity, once the caller may simulate its policies. Raises AccessDenied before NoSuchEntity."""
    account_id = request.principal.account_id
    asked = text if text.startswith("arn:") else user_arn(account_id, "/", text)
    named = inputs.find_source(account_id, asked)
    if named.row is None and not text.startswith("arn:"):
        row = User.objects.filter(account_id=account_id, name_key=text.lower()).first()
        named = inputs.Named("user", text, row.arn if row else asked, row)
    tags = resource_tags(named.row) if isinstance(named.row, User | Role) else {}
    request.gate.require(PRINCIPAL, named.arn, tags, asked=asked)
    return inputs.found(named)


def _scenario(form: SimulationForm, given: Any, **more: Any) -> tuple[Scenario, dict[str, str]]:
    """The scenario, and the texts that were brought along, by digest. Raises InvalidInput."""
    assuming = all(assumes(action) for action in form.cleaned_data["actions"])
    session = _given(form, "session")
    scenario = Scenario(
        context={**_values(given), **form.cleaned_data["context"]},
        session=(session,) if session else None,
        boundary=_given(form, "boundary"),
        resource_policy=_given(form, "resource_policy", ("trust", "resource") if assuming else ("resource",)),
        **more,
    )
    texts = [form.cleaned_data[name] for name in ("session", "boundary", "resource_policy")]
    return scenario, {document_digest(text): text for text in texts}


def _given(form: SimulationForm, name: str, kinds: Sequence[DocumentKind] = ("identity",)) -> AttachedPolicy | None:
    text: str = form.cleaned_data[name]
    return inputs.document(text, str(form.fields[name].label).lower(), kinds) if text.strip() else None


def _trusts(request: AccessRequest, resources: Iterable[str]) -> dict[str, AttachedPolicy]:
    """The trust policies of the roles among the resources, as far as the caller may read them."""
    account_id = request.principal.account_id
    found: dict[str, AttachedPolicy] = {}
    for arn in resources:
        row = inputs.find_source(account_id, arn).row if arn.startswith(f"arn:aws:iam::{account_id}:role/") else None
        if isinstance(row, Role) and request.gate.may("iam:GetRole", arn, keys_of(row, "iam:GetRole")).allowed:
            found[arn] = trust_of(row)
    return found


def _unasked(data: dict[str, Any], scenario: Scenario) -> list[str]:
    """Roles whose trust policy would have a say and is not asked: the caller may not read it, or there is no such role.
    Which of both is not told."""
    if scenario.resource_policy or not any(assumes(action) for action in data["actions"]):
        return []
    roles = (arn for arn in data["resources"] if arn.startswith("arn:aws:iam::") and ":role/" in arn)
    return [arn for arn in roles if arn not in scenario.trusts]


def _values(given: Any) -> dict[str, tuple[str, ...]]:
    """Raises InvalidInput."""
    return dict(
        inputs.context_entry(name.removeprefix(_VALUE), (value.strip(),), "string")
        for name, value in given.items()
        if name.startswith(_VALUE) and value.strip()
    )


def _simulated(
    request: AccessRequest, form: SimulationForm, scenario: Scenario, texts: dict[str, str], whose: str
) -> dict[str, Any]:
    simulation = Simulation(scenario)
    data, place = form.cleaned_data, request.POST.get("cell", request.GET.get("cell", ""))
    rows: list[tuple[str, list[Cell]]] = []
    explained = None
    for number, action in enumerate(data["actions"]):
        results = [simulation.decide(action, resource) for resource in data["resources"]]
        rows.append((action, [_cell(each, f"{number}.{at}", place) for at, each in enumerate(results)]))
        if place.startswith(f"{number}.") and (at := place.partition(".")[2]).isdecimal() and int(at) < len(results):
            reader = explaining.Reader(request.gate, request.principal.account_id, texts)
            found = results[int(at)]
            explained = explaining.shown(found.explanation, action, reader, principal_arn=whose, own=False)
    return {
        "rows": rows,
        "resources": data["resources"],
        "keys": _keys(simulation, data["actions"], data["resources"], scenario),
        "why": explained,
        "unasked": _unasked(data, scenario),
    }


def _cell(result: Result, place: str, chosen: str) -> Cell:
    label, badge = _BADGES[result.decision.outcome.value]
    return Cell(place, result.resource, label, badge, result.missing, place == chosen)


def _keys(simulation: Simulation, actions: Iterable[str], resources: Sequence[str], scenario: Scenario) -> list[Key]:
    """What the policies ask for: every key that they mention about these actions, with its value if it is given."""
    known = {key.lower() for key in known_context(scenario.caller or scenario.source)}
    names: dict[str, str] = {}
    for action in actions:
        documents = (each for resource in resources for each in simulation.documents_for(action, resource))
        for name in keys_asked(documents, action):
            if name.lower() not in known:
                names.setdefault(name.lower(), name)
    given = {key.lower(): ", ".join(values) for key, values in scenario.context.items()}
    return [_key(name, given.get(lower, "")) for lower, name in sorted(names.items())[:MOST_KEYS]]


def _key(name: str, value: str) -> Key:
    known = BUILT_IN.condition_key(name)
    return Key(name, f"{_VALUE}{name}", value, known.type if known else "String")


def _principals(request: AccessRequest) -> list[str]:
    """ARNs to choose from, as far as the caller may list them."""
    found: list[str] = []
    kinds: tuple[tuple[str, type[User] | type[Role] | type[Group]], ...] = (
        ("iam:ListUsers", User),
        ("iam:ListRoles", Role),
        ("iam:ListGroups", Group),
    )
    for action, model in kinds:
        if request.gate.may(action, "*").allowed:
            rows = model._default_manager.filter(account_id=request.principal.account_id).order_by("name_key")
            found.extend(row.arn for row in rows[:LISTED])
    return found
