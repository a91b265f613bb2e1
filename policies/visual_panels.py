"""What the visual view shows of a document: per statement the actions of its services by access level, and the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policies.engine.catalog import Action, Catalog, ConditionKey
from policies.engine.catalog_types import ACCESS_LEVELS
from policies.engine.conditions import IF_EXISTS, OPERATORS
from policies.visual import ConditionRow, Fields, StatementFields, fields_of, read

# A page is to stay light: beyond so many actions to tick, services show only those of theirs that are named.
MOST_CHOICES = 3_000


def _operators(*types: str, prefix: str = "", suffix: str = "") -> tuple[str, ...]:
    return tuple(f"{prefix}{name}{suffix}" for name, operator in OPERATORS.items() if operator.type in types)


# What there is to choose, by what it compares; a document's own operator that is not among it stays as it is.
OPERATOR_GROUPS = (
    ("Text", _operators("string")),
    ("Numbers", _operators("numeric")),
    ("Dates", _operators("date")),
    ("Others", _operators("bool", "ip", "arn", "binary", "null")),
    ("Keys with several values", _operators("string", "arn", prefix="ForAnyValue:")),
    ("Keys with several values, all of them", _operators("string", "arn", prefix="ForAllValues:")),
    ("Also true without the key", _operators("string", "numeric", "date", "bool", "ip", "arn", suffix=IF_EXISTS)),
)
OFFERED = frozenset(name for _, names in OPERATOR_GROUPS for name in names)


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
    """`is_whole` tells that all actions of the service are here, and not only those that the statement names."""

    prefix: str
    name: str
    levels: Sequence[Level]
    is_whole: bool = True

    @property
    def choices(self) -> int:
        return sum(len(level.choices) for level in self.levels)


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """A condition key to pick; one with a placeholder ends where the rest is to be typed: `aws:ResourceTag/`."""

    name: str
    hint: str


@dataclass(frozen=True, slots=True)
class StatementPanel:
    """A statement; the names of its fields begin with `prefix`. The last of its condition rows is an empty one, and
    `keys` are the condition keys that its actions know."""

    number: int
    prefix: str
    fields: StatementFields
    services: Sequence[ServicePanel]
    other: str
    resources: str
    rows: Sequence[tuple[int, ConditionRow, str]]
    keys: Sequence[KeyChoice]


def panels_of(text: str, data: object, catalog: Catalog) -> list[StatementPanel] | None:
    """The panels of a document; None for a text that has none. `data` are the fields that came back, if any: they
    may name further services whose actions are wanted."""
    content = read(text)
    if content is None:
        return None
    given = Fields(data or {})
    panels: list[StatementPanel] = []
    room = MOST_CHOICES
    for number, statement in enumerate(content.statements):
        panels.append(_panel(number, fields_of(content, statement), _wanted(given, f"v-{number}-"), catalog, room))
        room -= sum(service.choices for service in panels[-1].services)
    return panels


def _wanted(given: Fields, prefix: str) -> list[str]:
    return [name.strip().lower() for name in (*given.all(f"{prefix}services"), given.get(f"{prefix}service")) if name]


def _panel(number: int, fields: StatementFields, wanted: Iterable[str], catalog: Catalog, room: int) -> StatementPanel:
    actions = fields.actions or ()
    named = [action.partition(":")[0].lower() for action in actions if ":" in action]
    prefixes = [each for each in dict.fromkeys((*wanted, *named)) if catalog.service(each)]
    services = _within(room, [_service(prefix, actions, catalog) for prefix in prefixes])
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
        keys=_keys(fields, catalog),
    )


def _within(room: int, services: Iterable[ServicePanel]) -> list[ServicePanel]:
    """The services, those for which there is no room with the named actions only."""
    found = []
    for service in services:
        if service.choices > room:
            service = ServicePanel(service.prefix, service.name, _named_only(service.levels), is_whole=False)
        room -= service.choices
        found.append(service)
    return found


def _named_only(levels: Iterable[Level]) -> list[Level]:
    named = [Level(level.name, [choice for choice in level.choices if choice.checked]) for level in levels]
    return [level for level in named if level.choices]


def _keys(fields: StatementFields, catalog: Catalog) -> list[KeyChoice]:
    """The keys of the actions and of what they work on, then those that every request may carry."""
    chosen = (fields.actions or ()) if fields.action_mode == "Action" else ()
    names: set[str] = set()
    for action in {found for text in chosen if ":" in text for found in catalog.matching(text)}:
        names.update(action.condition_keys)
        service = catalog.service(action.service)
        kinds = service.resource_types if service else {}
        names.update(key for kind in action.resource_types for key in kinds[kind.lower()].condition_keys)
    own = sorted((key for name in names if (key := catalog.condition_key(name))), key=lambda key: key.name.lower())
    found = {key.name: _key_choice(key) for key in (*own, *catalog.condition_keys_of("aws"))}
    return list(found.values())


def _key_choice(key: ConditionKey) -> KeyChoice:
    return KeyChoice(key.name.partition("${")[0], f"{key.type}, several values" if key.multivalued else key.type)


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
