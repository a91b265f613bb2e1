"""docs/api.md lists every operation of both models with its state."""

import re

from api import shapes
from scripts.api_page import PAGE, page


def test_the_page_is_what_the_script_would_write_now() -> None:
    """`scripts/api_page.py` says how to write it after an operation was added."""
    assert PAGE.read_text() == page()


def test_it_lists_every_operation_of_both_models() -> None:
    listed = re.findall(r"^\| (\w+) \| (?:served|as without|not served) \|", page(), re.MULTILINE)
    assert listed == [name for service in shapes.SERVICES for name in sorted(shapes.operation_names(service))]


def test_every_operation_of_iam_is_answered() -> None:
    iam = page().partition("## IAM")[2].partition("## STS")[0]
    assert "180 operations: 162 served, 18 as without." in iam
