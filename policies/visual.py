"""The visual view of a document: statements as fields, and back, without losing anything.

The document stays the truth. Fields are read from it, and only an element whose fields somebody changed is written
anew; everything else, and whatever fields can't express, stays as it was written, to the byte when nothing changed.
"""

import json
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

MARKER = "visual"
MOST_ROWS = 60
Json = Any


class Fields:
    """The fields that came back, by name; a name may have several values."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def get(self, name: str) -> str:
        return str(self._data.get(name) or "")

    def all(self, name: str) -> list[str]:
        if hasattr(self._data, "getlist"):
            return [str(value) for value in self._data.getlist(name)]
        value = self._data.get(name, ())
        return [value] if isinstance(value, str) else [str(each) for each in value]

    def has(self, name: str) -> bool:
        return name in self._data


@dataclass(frozen=True, slots=True)
class ConditionRow:
    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatementFields:
    """A statement as fields. An element that fields can't express is None here and in `kept` as it is written."""

    effect: str | None
    sid: str | None
    action_mode: str
    actions: tuple[str, ...] | None
    resource_mode: str
    resources: tuple[str, ...] | None
    conditions: tuple[ConditionRow, ...] | None
    kept: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Content:
    """A document, taken apart so that it can be written again as it was; numbers keep their digits."""

    root: dict[str, Json]
    statements: list[Json]
    token: str = field(repr=False)

    def text(self) -> str:
        alone = isinstance(self.root.get("Statement"), dict) and len(self.statements) == 1
        self.root["Statement"] = self.statements[0] if alone else self.statements
        return self.written(self.root)

    def written(self, value: Json) -> str:
        return re.sub(rf'"{self.token}([^"]*)"', r"\1", json.dumps(value, indent=2))

    def shown(self, value: Json) -> str | None:
        """A value as one line of a field, or None if a line can't hold it."""
        if value is True or value is False:
            return "true" if value else "false"
        if not isinstance(value, str):
            return None
        text = value.removeprefix(self.token)
        return (
            text if text and text == text.strip() and not re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", text) else None
        )


def read(text: str) -> Content | None:
    """The content of a document; None for a text that is no document with statements, or says a name twice."""
    token = f"number-{uuid.uuid4().hex}:"

    def number(digits: str) -> str:
        return token + digits

    try:
        root = json.loads(
            text,
            object_pairs_hook=_without_doubles,
            parse_int=number,
            parse_float=number,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        return None
    found = root.get("Statement") if isinstance(root, dict) else None
    statements = found if isinstance(found, list) else [found]
    if not statements or not all(isinstance(each, dict) for each in statements):
        return None
    return Content(root, list(statements), token)


def _without_doubles(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("A name stands twice.")
    return table


def _refuse(word: str) -> Json:
    raise ValueError(word)


def fields_of(content: Content, statement: Json) -> StatementFields:
    """A statement as fields."""
    kept = [(name, content.written(value)) for name, value in statement.items() if name not in _EXPRESSED]
    action_mode, actions = _lines(content, statement, "Action")
    resource_mode, resources = _lines(content, statement, "Resource")
    conditions = _rows(content, statement.get("Condition", {}))
    effect, sid = statement.get("Effect"), statement.get("Sid", "")
    fields = StatementFields(
        effect=effect if effect in ("Allow", "Deny") else None,
        sid="" if sid == "" else content.shown(sid),
        action_mode=action_mode,
        actions=actions,
        resource_mode=resource_mode,
        resources=resources,
        conditions=conditions,
    )
    kept += [(name, content.written(statement[name])) for name in _unexpressed(fields) if name in statement]
    return StatementFields(**{**_as_dict(fields), "kept": tuple(kept)})


_EXPRESSED = ("Effect", "Sid", "Action", "NotAction", "Resource", "NotResource", "Condition")


def _as_dict(fields: StatementFields) -> dict[str, Any]:
    return {name: getattr(fields, name) for name in StatementFields.__slots__}


def _unexpressed(fields: StatementFields) -> list[str]:
    names = []
    if fields.effect is None:
        names.append("Effect")
    if fields.sid is None:
        names.append("Sid")
    for element, lines in (("Action", fields.actions), ("Resource", fields.resources)):
        if lines is None:
            names += [element, f"Not{element}"]
    if fields.conditions is None:
        names.append("Condition")
    return names


def _lines(content: Content, statement: Json, element: str) -> tuple[str, tuple[str, ...] | None]:
    """Which of the two elements is there, and its values."""
    there = [name for name in (element, f"Not{element}") if name in statement]
    if len(there) > 1:
        return element, None
    if not there:
        return element, ()
    return there[0], _values(content, statement[there[0]], texts_only=True)


def _values(content: Content, value: Json, *, texts_only: bool = False) -> tuple[str, ...] | None:
    shown = []
    for each in value if isinstance(value, list) else [value]:
        text = content.shown(each)
        if text is None or (texts_only and (not isinstance(each, str) or each.startswith(content.token))):
            return None
        shown.append(text)
    return tuple(shown)


def _rows(content: Content, condition: Json) -> tuple[ConditionRow, ...] | None:
    if not isinstance(condition, dict):
        return None
    rows = []
    for operator, block in condition.items():
        if not isinstance(block, dict) or not block or content.shown(operator) is None:
            return None
        for key, value in block.items():
            values = _values(content, value)
            if not values or content.shown(key) is None:
                return None
            rows.append(ConditionRow(operator, key, values))
    return tuple(rows) if len(rows) <= MOST_ROWS else None


def applied(text: str, data: Any) -> str:
    """The document with what was changed in its fields; the text itself when nothing was."""
    content, fields = read(text), Fields(data)
    if content is None:
        return text
    changed = False
    left: list[Json] = []
    for number, statement in enumerate(content.statements):
        if fields.has(f"v-{number}-remove"):
            changed = True
            continue
        new = _changed(content, statement, fields, f"v-{number}-")
        changed = changed or new is not statement
        left.append(new)
    if fields.get("editor") == "add":
        changed = True
        left.append({"Effect": "Allow", "Action": [], "Resource": "*"})
    if not changed or not left:
        return text
    content.statements = left
    return content.text()


def _changed(content: Content, statement: Json, fields: Fields, prefix: str) -> Json:
    """The statement itself, or a copy with the elements that were changed."""
    was = fields_of(content, statement)
    new = dict(statement)
    if was.effect is not None and (effect := fields.get(f"{prefix}effect")) in ("Allow", "Deny"):
        new["Effect"] = effect
    if was.sid is not None and fields.has(f"{prefix}sid"):
        new = _with_sid(new, fields.get(f"{prefix}sid").strip(), was.sid)
    if was.actions is not None and fields.has(f"{prefix}action-mode"):
        given = [*fields.all(f"{prefix}action"), *lines_in(fields.get(f"{prefix}other"))]
        new = _with_values(new, "Action", fields.get(f"{prefix}action-mode"), was.action_mode, was.actions, given)
    if was.resources is not None and fields.has(f"{prefix}resource-mode"):
        given = lines_in(fields.get(f"{prefix}resource"))
        mode = fields.get(f"{prefix}resource-mode")
        new = _with_values(new, "Resource", mode, was.resource_mode, was.resources, given)
    if was.conditions is not None and fields.has(f"{prefix}conditions"):
        new = _with_conditions(new, was.conditions, _rows_given(fields, prefix))
    return statement if new == statement and list(new) == list(statement) else new


def lines_in(text: str) -> list[str]:
    return [line.strip() for line in re.split(r"\r\n|\r|\n", text) if line.strip()]


def _with_sid(statement: dict[str, Json], sid: str, was: str) -> dict[str, Json]:
    if sid == was:
        return statement
    rest = {name: value for name, value in statement.items() if name != "Sid"}
    if not sid:
        return rest
    return {**statement, "Sid": sid} if "Sid" in statement else {"Sid": sid, **rest}


def _with_values(
    statement: dict[str, Json], element: str, mode: str, was_mode: str, was: Sequence[str], given: Sequence[str]
) -> dict[str, Json]:
    """What stays keeps its place and its spelling; what is new comes after it."""
    mode = mode if mode in (element, f"Not{element}") else was_mode
    fold = str.lower if element == "Action" else str
    wanted = {fold(each) for each in given}
    left = [each for each in was if fold(each) in wanted]
    known = {fold(each) for each in was}
    left += dict.fromkeys(each for each in given if fold(each) not in known)
    if mode == was_mode and left == list(was):
        return statement
    value: Json = left if len(left) != 1 or isinstance(statement.get(was_mode), list) else left[0]
    if mode == was_mode and mode in statement:
        return {**statement, mode: value}
    renamed = {
        mode if name == was_mode else name: value if name == was_mode else old for name, old in statement.items()
    }
    return renamed if mode in renamed else {**statement, mode: value}


def _rows_given(fields: Fields, prefix: str) -> list[ConditionRow]:
    rows = []
    for number in range(MOST_ROWS + 1):
        row = f"{prefix}c-{number}-"
        key, values = fields.get(f"{row}key").strip(), lines_in(fields.get(f"{row}values"))
        if key and values:
            rows.append(ConditionRow(fields.get(f"{row}operator").strip() or "StringEquals", key, tuple(values)))
    return rows


def _with_conditions(
    statement: dict[str, Json], was: Sequence[ConditionRow], given: Iterable[ConditionRow]
) -> dict[str, Json]:
    rows = list(given)
    if rows == list(was):
        return statement
    old, condition = statement.get("Condition", {}), dict[str, dict[str, Json]]()
    same = {(row.operator, row.key): row.values for row in was}
    for row in rows:
        block = condition.setdefault(row.operator, {})
        if row.key in block:
            present = block[row.key] if isinstance(block[row.key], list) else [block[row.key]]
            block[row.key] = [*present, *row.values]
        elif same.get((row.operator, row.key)) == row.values:
            block[row.key] = old[row.operator][row.key]
        else:
            block[row.key] = row.values[0] if len(row.values) == 1 else list(row.values)
    if condition:
        return {**statement, "Condition": condition}
    return {name: value for name, value in statement.items() if name != "Condition"}
