"""The visual view of a document: what is not changed stays as it is written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.visual import StatementFields, applied, fields_of, lines_in, read

words = st.sampled_from(["s3:GetObject", "iam:*", "arn:aws:s3:::a/*", "*", "true", "x y", " padded", "", "ü€", "a\nb"])
scalars = words | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)
values = words | st.lists(words, max_size=3) | anything
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "Bool", "NumericLessThan"]),
    st.dictionaries(st.sampled_from(["aws:username", "aws:SourceIp", "s3:max-keys"]), values, max_size=2),
    max_size=2,
)
statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny", "Maybe"]) | anything},
    optional={
        "Sid": words | anything,
        "Action": values,
        "NotAction": values,
        "Resource": values,
        "NotResource": values,
        "Condition": conditions | anything,
        "Principal": anything,
        "Else": anything,
    },
)
documents = st.builds(
    lambda body, version, indent: json.dumps({"Version": version, "Statement": body}, indent=indent),
    statements | st.lists(statements, min_size=1, max_size=3),
    st.just("2012-10-17") | anything,
    st.sampled_from([None, 2, 4]),
)


def posted(text: str) -> dict[str, Any]:
    """What a browser sends back from the fields of a document when nobody changed them."""
    content = read(text)
    assert content is not None
    data: dict[str, Any] = {}
    for number, statement in enumerate(content.statements):
        data.update(posted_statement(fields_of(content, statement), f"v-{number}-"))
    return data


def posted_statement(fields: StatementFields, prefix: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "effect": fields.effect or "",
        "sid": fields.sid or "",
        "action-mode": fields.action_mode,
        "action": [],
        "other": "\r\n".join(fields.actions or ()),
        "resource-mode": fields.resource_mode,
        "resource": "\r\n".join(fields.resources or ()),
        "conditions": "1",
    }
    for number, row in enumerate(fields.conditions or ()):
        data |= {f"c-{number}-operator": row.operator, f"c-{number}-key": row.key}
        data[f"c-{number}-values"] = "\r\n".join(row.values)
    return {prefix + name: value for name, value in data.items()}


@given(documents)
def test_what_nobody_changed_stays_to_the_byte(text: str) -> None:
    assert applied(text, posted(text)) == text


@given(documents, st.sampled_from(["sid", "effect", "other", "resource"]), st.data())
def test_a_change_changes_its_element_and_nothing_else(text: str, name: str, data: st.DataObject) -> None:
    fields = posted(text)
    new = data.draw(st.sampled_from(["Deny", "Allow"] if name == "effect" else ["s3:PutObject", "arn:aws:s3:::b"]))
    before, after = json.loads(text), json.loads(applied(text, fields | {f"v-0-{name}": new}))
    elements = {"sid": {"Sid"}, "effect": {"Effect"}, "other": {"Action", "NotAction"}}
    touched = elements.get(name, {"Resource", "NotResource"})
    for old, now in zip(listed(before), listed(after), strict=True):
        assert {key: value for key, value in old.items() if key not in touched} == {
            key: value for key, value in now.items() if key not in touched
        }
    assert {key: value for key, value in before.items() if key != "Statement"} == {
        key: value for key, value in after.items() if key != "Statement"
    }


@given(documents)
def test_a_document_that_was_changed_shows_what_was_typed(text: str) -> None:
    fields = posted(text) | {"v-0-sid": "Changed", "v-0-resource": "arn:aws:s3:::one\narn:aws:s3:::two"}
    content = read(applied(text, fields))
    assert content is not None
    shown = fields_of(content, content.statements[0])
    was = read(text)
    assert was is not None
    had = fields_of(was, was.statements[0])
    assert shown.sid == ("Changed" if had.sid is not None else None)
    assert set(shown.resources or ()) == (
        {"arn:aws:s3:::one", "arn:aws:s3:::two"} if had.resources is not None else set()
    )


def listed(document: Any) -> list[Any]:
    body = document["Statement"]
    return body if isinstance(body, list) else [body]


def statement(**more: Any) -> str:
    body = {"Effect": "Allow", "Action": ["s3:GetObject", "S3:putobject"], "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [body]})


def change(text: str, **fields: Any) -> Any:
    data = posted(text) | {f"v-0-{name.replace('_', '-')}": value for name, value in fields.items()}
    return listed(json.loads(applied(text, data)))[0]


def test_actions_keep_their_order_and_their_spelling() -> None:
    changed = change(statement(), action=["s3:PutObject", "s3:ListBucket"], other="")
    assert changed["Action"] == ["S3:putobject", "s3:ListBucket"]


def test_an_element_can_be_turned_into_its_opposite() -> None:
    changed = change(statement(), action_mode="NotAction")
    assert list(changed) == ["Effect", "NotAction", "Resource"]
    assert changed["NotAction"] == ["s3:GetObject", "S3:putobject"]


def test_conditions_are_added_and_taken_away() -> None:
    new = {"c-0-operator": "Bool", "c-0-key": "aws:SecureTransport", "c-0-values": "true"}
    changed = change(statement(), **new)
    assert changed["Condition"] == {"Bool": {"aws:SecureTransport": "true"}}
    assert "Condition" not in change(statement(Condition=changed["Condition"]), **{"c-0-values": ""})


def test_a_value_beside_a_changed_one_keeps_its_type() -> None:
    text = statement(Condition={"Bool": {"a:b": True}, "NumericEquals": {"c:d": 5}})
    changed = change(text, **{"c-1-values": "6"})
    assert changed["Condition"] == {"Bool": {"a:b": True}, "NumericEquals": {"c:d": "6"}}


def test_numbers_keep_their_digits() -> None:
    text = '{"Statement": [{"Effect": "Allow", "Condition": {"NumericEquals": {"c:d": 1.50, "e:f": -0}}}]}'
    assert '"c:d": 1.50' in applied(text, posted(text) | {"v-0-effect": "Deny"})
    assert '"e:f": -0' in applied(text, posted(text) | {"v-0-effect": "Deny"})


def test_what_fields_cannot_express_is_kept_and_shown() -> None:
    content = read(statement(Principal={"AWS": "*"}, Condition={"StringEquals": {"a:b": ""}}))
    assert content is not None
    fields = fields_of(content, content.statements[0])
    assert fields.conditions is None
    assert [name for name, _ in fields.kept] == ["Principal", "Condition"]


def test_statements_are_added_and_removed() -> None:
    text = statement()
    added = json.loads(applied(text, posted(text) | {"editor": "add"}))
    assert len(added["Statement"]) == 2
    removed = applied(json.dumps(added), posted(json.dumps(added)) | {"v-0-remove": "1"})
    assert json.loads(removed)["Statement"] == added["Statement"][1:]
    assert applied(text, posted(text) | {"v-0-remove": "1"}) == text


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"Statement": []}', '{"Statement": [1]}', '{"a": 1, "a": 2}'])
def test_what_is_no_document_has_no_fields(text: str) -> None:
    assert read(text) is None
    assert applied(text, {"v-0-effect": "Deny"}) == text


def test_lines_are_told_apart_by_any_line_end() -> None:
    assert lines_in(" a \r\nb\rc\n\n") == ["a", "b", "c"]
