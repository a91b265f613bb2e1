"""What the visual view shows of a document: per statement the actions of its services by access level, and the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policies.engine.catalog import Action, Catalog
from policies.engine.catalog_types import ACCESS_LEVELS
from policies.visual import ConditionRow, Fields, StatementFields, fields_of, read

# More services than these are not taken apart: their actions stand among the others, one per line.
MOST_SERVICES = 6
OPERATORS = (
    "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike", "NumericEquals",
    "NumericLessThan", "NumericGreaterThan", "DateGreaterThan", "DateLessThan", "Bool", "IpAddress", "NotIpAddress",
    "ArnEquals", "ArnLike", "Null", "StringEqualsIfExists", "BoolIfExists", "ForAllValues:StringEquals",
    "ForAnyValue:StringEquals",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """An action to tick. `value` is how the document spells it; `covered` tells that a pattern names it already."""

    value: str
    name: str
    description: str
    checked: bool
    covered: bool


@dataclass(frozen=True, slots=True)
class Level:
    name: str
    choices: Sequence[Choice]

    @property
    def checked(self) -> int:
        return sum(choice.checked or choice.covered for choice in self.choices)


@dataclass(frozen=True, slots=True)
class ServicePanel:
    prefix: str
    name: str
    levels: Sequence[Level]


@dataclass(frozen=True, slots=True)
class StatementPanel:
    """A statement; the names of its fields begin with `prefix`. The last of its condition rows is an empty one."""

    number: int
    prefix: str
    fields: StatementFields
    services: Sequence[ServicePanel]
    other: str
    resources: str
    rows: Sequence[tuple[int, ConditionRow, str]]


def panels_of(text: str, data: object, catalog: Catalog) -> list[StatementPanel] | None:
    """The panels of a document; None for a text that has none. `data` are the fields that came back, if any: they
    may name further services whose actions are wanted."""
    content = read(text)
    if content is None:
        return None
    given = Fields(data or {})
    return [
        _panel(number, fields_of(content, statement), _wanted(given, f"v-{number}-"), catalog)
        for number, statement in enumerate(content.statements)
    ]


def _wanted(given: Fields, prefix: str) -> list[str]:
    return [name.strip().lower() for name in (*given.all(f"{prefix}services"), given.get(f"{prefix}service")) if name]


def _panel(number: int, fields: StatementFields, wanted: Iterable[str], catalog: Catalog) -> StatementPanel:
    actions = fields.actions or ()
    named = [action.partition(":")[0].lower() for action in actions if ":" in action]
    prefixes = [each for each in dict.fromkeys((*wanted, *named)) if catalog.service(each)][:MOST_SERVICES]
    services = [_service(prefix, actions, catalog) for prefix in prefixes]
    ticked = {choice.value for service in services for level in service.levels for choice in level.choices}
    rows = [*(fields.conditions or ()), ConditionRow("", "", ())]
    return StatementPanel(
        number=number,
        prefix=f"v-{number}-",
        fields=fields,
        services=services,
        other="\n".join(action for action in actions if action not in ticked),
        resources="\n".join(fields.resources or ()),
        rows=[(at, row, "\n".join(row.values)) for at, row in enumerate(rows)],
    )


def _service(prefix: str, actions: Sequence[str], catalog: Catalog) -> ServicePanel:
    spelled = {action.lower(): action for action in actions}
    patterns = [action for action in actions if "*" in action or "?" in action]
    covered = {found.full_name.lower() for pattern in patterns for found in _covered(pattern, prefix, catalog)}
    choices: dict[str, list[Choice]] = {level: [] for level in ACCESS_LEVELS}
    for action in catalog.actions_of(prefix):
        lower = action.full_name.lower()
        choice = Choice(
            spelled.get(lower, action.full_name), action.name, action.description, lower in spelled, lower in covered
        )
        choices.setdefault(action.access_level, []).append(choice)
    levels = [Level(name, found) for name, found in choices.items() if found]
    return ServicePanel(prefix, catalog.service_names().get(prefix, prefix), levels)


def _covered(pattern: str, prefix: str, catalog: Catalog) -> Iterable[Action]:
    if pattern == "*":
        return catalog.actions_of(prefix)
    return catalog.matching(pattern) if pattern.lower().startswith(f"{prefix}:") else ()
