import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine import DocumentError, lint, parse, size
from policies.engine.reader import read
from tests.policies.cases import allow, policy

pytestmark = pytest.mark.sqlite  # the engine knows no database

BROKEN = (
    ('{\n  "Version": "2012-10-17"\n  "Statement": []\n}', 2, 26, "A comma is missing here."),
    ('{"Statement": [\n{},\n]}', 2, 3, 'There is a comma before the closing "]".'),
    ("{\n'Version': 1}", 2, 1, "Names are written in double quotes."),
    ("{\"Version\": '1'}", 1, 13, "Strings are written in double quotes."),
    ('{"Version"\n"1"}', 1, 11, 'A colon is missing after "Version".'),
    ('{\n"a": "b\n}', 2, 6, "This string is not closed on its line."),
    ('{"a": [1, 2}', 1, 12, '"]" is expected here, not "}".'),
    ('{"a": {\n"b": 1', 2, 7, 'The document ends before the "{" of line 1 is closed.'),
    ("", 1, 1, "The document is empty."),
    ("{} {}", 1, 4, "There is more text after the end of the document."),
    ('{"a": // why\n1}', 1, 7, "JSON has no comments."),
    ('{"a": True}', 1, 7, 'A value is expected here, not "True".'),
    ('{"a": 01}', 1, 7, "This is not a number of JSON."),
    ('{"a": NaN}', 1, 7, 'A value is expected here, not "NaN".'),
    ('{"a": "\\x"}', 1, 8, '"\\x" is not an escape of JSON.'),
    ('{"a": "\\ud800"}', 1, 8, "This \\u escape is half a character."),
    ('{"a": "\\u12"}', 1, 8, "\\u needs four hexadecimal digits after it."),
    ("{a: 1}", 1, 2, 'A name in double quotes is expected here, not "a".'),
    ('{"a": 1, "a": 2}', 1, 10, '"a" is given twice in the same object.'),
    ('\r\n\r\n{"a" 1}', 3, 5, 'A colon is missing after "a".'),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(("text", "line", "column", "message"), BROKEN)
def test_it_says_where_json_is_broken(text: str, line: int, column: int, message: str) -> None:
    (finding,) = lint(text)
    assert (finding.line, finding.column, finding.message) == (line, column, message)
    assert finding.severity == "error"


@given(value=JSON, indent=st.sampled_from((None, 2)), ascii_only=st.booleans())
def test_it_reads_what_json_writes(value: object, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert as_python(read(text)) == value


def as_python(node: object) -> object:
    kind, text = getattr(node, "kind", ""), getattr(node, "text", "")
    if kind == "object":
        return {name.text: as_python(value) for name, value in getattr(node, "members", ())}
    if kind == "array":
        return [as_python(item) for item in getattr(node, "items", ())]
    return text if kind == "string" else json.loads(text)


@given(text=st.text() | st.text(alphabet='{}[]",:\\ \n1antrue'))
def test_it_reads_or_refuses_whatever_comes(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=float.fromhex)
    except ValueError:
        with pytest.raises(DocumentError):
            read(text)
    else:
        if not isinstance(expected, dict):
            assert lint(text)[0].severity == "error"


@given(document=JSON)
def test_no_document_breaks_validation(document: object) -> None:
    for kind in ("identity", "resource", "trust"):
        lint(json.dumps({"Version": "2012-10-17", "Statement": document}), kind)
        lint(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Condition": document}]}), kind)


def test_findings_stand_where_their_values_do() -> None:
    text = '{"Version": "2012-10-17",\n "Statement": [{\n  "Effect": "allow",\n  "Action": "GetUser",\n'
    text += '  "Resource": "*"}]}'
    assert [(each.code, each.line, each.column) for each in lint(text)] == [
        ("INVALID_EFFECT", 3, 13),
        ("ACTION_WITHOUT_SERVICE", 4, 13),
    ]


def test_a_misspelt_word_is_guessed() -> None:
    finding = lint(policy(allow(Condition={"StringEqual": {"aws:a": "b"}})))[0]
    assert finding.hint == 'Did you mean "StringEquals"?'
    assert 'Did you mean "Resource"?' in [each.hint for each in lint(policy({**allow(), "Ressource": "*"}))]


def test_a_document_keeps_what_was_written() -> None:
    document = parse(
        '{"Id": "x", "Statement": {"Sid": "One", "Effect": "Deny", "NotAction": "iam:*", "Resource": ["*"]}}'
    )
    (statement,) = document.statements
    assert (document.id, document.version) == ("x", "2008-10-17")
    assert (statement.sid, statement.effect, statement.not_actions, statement.resources) == (
        "One",
        "Deny",
        ("iam:*",),
        ("*",),
    )


def test_white_space_does_not_count() -> None:
    assert size(' {\n\t"a": "b c"\r\n}') == len('{"a":"bc"}')
