import copy
import json
from typing import Any

import pytest

from policies.definitions import BadDefinition, check, from_json, from_lines, prefix_problem, to_lines, to_service
from tests.policies.documents import GARDEN


def with_change(path: str, value: Any) -> Any:
    definition: Any = copy.deepcopy(GARDEN)
    place = definition
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        place = place[step]
    place[last] = value
    return definition


def test_lines_say_the_same_as_json() -> None:
    check("garden", GARDEN)
    assert from_lines(**to_lines(GARDEN)) == GARDEN == from_json(json.dumps(GARDEN))


def test_a_line_needs_a_name_only() -> None:
    (action,) = from_lines("\n  Water  \n", "", "")["actions"]
    assert (action["name"], action["access_level"], action["resource_types"]) == ("Water", "Write", [])


def test_several_values_are_told_in_a_line() -> None:
    keys = from_lines("A", "", "garden:Tools | String | several\ngarden:Season")["condition_keys"]
    assert [key["multivalued"] for key in keys] == [True, False]


def test_it_becomes_an_entry_of_the_catalogue() -> None:
    service = to_service("garden", "Our garden", GARDEN)
    assert service.actions["plant"].full_name == "garden:Plant" and service.registered
    assert service.condition_key("GARDEN:season") and service.resource_types["bed"].pattern == "arn:aws:garden::*:bed/*"


@pytest.mark.parametrize("prefix", ["", "Garden", "-garden", "garden-", "a_b", "a:b", "x" * 64, "s3", "iam", "aws"])
def test_some_prefixes_are_not_to_be_had(prefix: str) -> None:
    assert prefix_problem(prefix)


@pytest.mark.parametrize("prefix", ["garden", "g", "my-garden2"])
def test_other_prefixes_are_free(prefix: str) -> None:
    assert not prefix_problem(prefix)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("actions", [], "actions"),
        ("actions.0.name", "Plant it", "actions"),
        ("actions.0.name", "garden:Plant", "actions"),
        ("actions.1.name", "PLANT", "actions"),
        ("actions.0.access_level", "Much", "actions"),
        ("actions.0.description", "a" * 301, "actions"),
        ("actions.0.resource_types", ["tree"], "actions"),
        ("actions.0.condition_keys", ["garden:Weather"], "actions"),
        ("resource_types.0.name", "a bed", "resource_types"),
        ("resource_types.0.arn", "arn:aws:s3:::${Bed}", "resource_types"),
        ("resource_types.0.arn", "bed/${BedName}", "resource_types"),
        ("condition_keys.0.name", "Season", "condition_keys"),
        ("condition_keys.0.name", "iam:Season", "condition_keys"),
        ("condition_keys.0.type", "Colour", "condition_keys"),
        ("actions", [GARDEN["actions"][1]] * 501, "actions"),
    ],
)
def test_it_refuses_what_it_would_not_understand(path: str, value: Any, field: str) -> None:
    with pytest.raises(BadDefinition) as refused:
        check("garden", with_change(path, value))
    assert refused.value.field == field and str(refused.value).endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"action": []}',
        '{"actions": {}}',
        '{"actions": ["Plant"]}',
        '{"actions": [{"name": 1}]}',
        '{"actions": [{"name": "A", "resource_types": "bed"}]}',
        '{"resource_types": [{"name": "bed"}]}',
    ],
)
def test_it_refuses_other_json(text: str) -> None:
    with pytest.raises(BadDefinition) as refused:
        from_json(text)
    assert refused.value.field == "pasted"


def test_it_tells_the_line() -> None:
    with pytest.raises(BadDefinition, match="Line 2 has 6 parts"):
        from_lines("A\nB|Write|c|d|e|f", "", "")
