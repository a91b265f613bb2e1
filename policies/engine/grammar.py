"""The grammar of policy documents: what elements there are, and what each may hold in which kind of document.

IAM User Guide, "Grammar of the IAM JSON policy language". Everything the grammar does not know is an error.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from policies.engine.conditions import OPERATORS, parse_operator
from policies.engine.document import WITH_PRINCIPAL, Condition, DocumentKind, Effect, Principals, Statement
from policies.engine.elements import check_action, check_principal, check_resource, check_value
from policies.engine.findings import Finding, Problem, Severity
from policies.engine.reader import Node, Positions
from policies.engine.spelling import did_you_mean
from policies.engine.variables import CURRENT_VERSION, OLD_VERSION

DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
PRINCIPAL_GROUPS = ("AWS", "Federated", "Service", "CanonicalUser")
MAX_STATEMENTS = 1000
MAX_FINDINGS = 100
MAX_GUESSES = 10
_SID = re.compile(r"[A-Za-z0-9]*")
_SID_OF_RESOURCE_POLICY = re.compile(r"[A-Za-z0-9 _.,:/+=@-]*")
_NAMES: dict[DocumentKind, str] = {
    "identity": "an identity policy",
    "resource": "a resource policy",
    "trust": "a trust policy",
    "session": "a session policy",
    "boundary": "a permissions boundary",
    "service_control": "a service control policy",
    "resource_control": "a resource control policy",
    "endpoint": "an endpoint policy",
}
Check = Callable[[str], Problem | None]
Elements = dict[str, tuple[Node, Node]]
# Where the elements of each statement stand: (index, element) or (index, operator, key) to the offset in the text.
Places = dict[tuple[int, str] | tuple[int, str, str], int]


@dataclass(slots=True)
class Grammar:
    """Reads one document. `findings` collects what is wrong, of which `errors` and `remarks` (all others) are counted
    apart; `version` and `id` are read before the statements."""

    kind: DocumentKind
    positions: Positions
    findings: list[Finding] = field(default_factory=list)
    places: Places = field(default_factory=dict)
    errors: int = 0
    remarks: int = 0
    version: str = OLD_VERSION
    id: str = ""

    @property
    def name(self) -> str:
        return _NAMES[self.kind]

    @property
    def variables(self) -> bool:
        return self.version == CURRENT_VERSION

    @property
    def has_room(self) -> bool:
        """Whether another error would be told; single values are not looked at for nothing."""
        return self.errors < MAX_FINDINGS

    def report(
        self, node: Node, code: str, message: str, hint: str = "", severity: Severity = "error", value: str = ""
    ) -> None:
        # Enough is enough: a hostile text could have a finding on every line. The first error always stays.
        if severity == "error":
            self.errors += 1
        else:
            self.remarks += 1
        if (self.errors if severity == "error" else self.remarks) > MAX_FINDINGS:
            return
        line, column = self.positions.line_and_column(node.start)
        self.findings.append(Finding(severity, code, message, hint, line, column, value))

    def document(self, root: Node) -> tuple[Statement, ...]:
        """The statements of a document; findings tell what is wrong with it."""
        if root.kind != "object":
            self.report(root, "NOT_AN_OBJECT", f"A policy is an object, not {root.describe()}.", "Start with {.")
            return ()
        elements = self.elements(root, DOCUMENT_ELEMENTS, "a policy")
        self.read_version(root, elements)
        if "Id" in elements:
            self.id = self.string(elements["Id"][1], "Id")
        if "Statement" not in elements:
            self.report(root, "MISSING_STATEMENT", "The policy has no Statement.", "Add one.")
            return ()
        return self.statements(elements["Statement"][1])

    def guess(self, name: Node, known: tuple[str, ...]) -> str:
        return did_you_mean(name.text, known) if self.errors < MAX_GUESSES else ""

    def elements(self, node: Node, known: tuple[str, ...], where: str) -> Elements:
        found: Elements = {}
        for name, value in node.members:
            if name.text in known:
                found[name.text] = (name, value)
            else:
                message = f'"{name.text}" is no element of {where}.'
                self.report(name, "UNKNOWN_ELEMENT", message, self.guess(name, known), value=name.text)
        return found

    def read_version(self, root: Node, elements: Elements) -> None:
        if "Version" not in elements:
            self.old_version(root, "The policy has no Version, so it is read as one of 2008, without variables.")
            return
        node = elements["Version"][1]
        self.version = self.string(node, "Version")
        if node.kind == "string" and self.version not in (CURRENT_VERSION, OLD_VERSION):
            message = f'There is no version "{self.version}" of the policy language.'
            self.report(node, "UNSUPPORTED_VERSION", message, f'Write "{CURRENT_VERSION}".', value=self.version)
        elif self.version == OLD_VERSION:
            self.old_version(node, "This version of the policy language has no variables.")

    def old_version(self, node: Node, message: str) -> None:
        severity: Severity = "error" if self.kind == "resource_control" else "suggestion"
        self.report(node, "OLD_VERSION", message, f'Write "Version": "{CURRENT_VERSION}".', severity)

    def string(self, node: Node, name: str) -> str:
        if node.kind != "string":
            self.report(node, "WRONG_TYPE", f"{name} is a string, not {node.describe()}.", "Put it in double quotes.")
        return node.text

    def statements(self, node: Node) -> tuple[Statement, ...]:
        nodes = node.items if node.kind == "array" else [node]
        if not nodes:
            self.report(node, "EMPTY_STATEMENT", "The policy has no statements.", "Add one.", "warning")
        if len(nodes) > MAX_STATEMENTS:
            message = f"The policy has {len(nodes)} statements, more than {MAX_STATEMENTS}."
            self.report(node, "TOO_MANY_STATEMENTS", message, "Split it into several policies.")
            return ()
        found = [self.statement(item, number) for number, item in enumerate(nodes)]
        self.unique_sids(nodes, found)
        return tuple(statement for statement in found if statement is not None)

    def unique_sids(self, nodes: Sequence[Node], statements: list[Statement | None]) -> None:
        seen: set[str] = set()
        for node, statement in zip(nodes, statements, strict=True):
            if statement is None or not statement.sid:
                continue
            if statement.sid in seen:
                at = next(value for name, value in node.members if name.text == "Sid")
                message = f'The Sid "{statement.sid}" is used twice.'
                self.report(at, "DUPLICATE_SID", message, "Give each statement its own.", value=statement.sid)
            seen.add(statement.sid)

    def statement(self, node: Node, number: int) -> Statement | None:
        if node.kind != "object":
            message = f"A statement is an object, not {node.describe()}."
            self.report(node, "WRONG_TYPE", message, "Write { … }.")
            return None
        elements = self.elements(node, STATEMENT_ELEMENTS, "a statement")
        self.exclusive(node, elements, "Action")
        self.exclusive(node, elements, "Resource", required=self.kind != "trust", allowed=self.kind != "trust")
        self.exclusive(node, elements, "Principal", required=self.kind in WITH_PRINCIPAL, allowed=self.takes_principal)
        effect = self.effect(node, elements)
        self.places[number, ""] = node.start
        self.places.update(((number, name), at.start) for name, (at, _) in elements.items())
        return Statement(
            index=number,
            effect=effect,
            sid=self.sid(elements),
            actions=self.actions(elements, "Action"),
            not_actions=self.actions(elements, "NotAction"),
            resources=self.resources(elements, "Resource"),
            not_resources=self.resources(elements, "NotResource"),
            principals=self.principals(elements, "Principal"),
            not_principals=self.principals(elements, "NotPrincipal"),
            conditions=self.conditions(elements, number),
            first_line=self.positions.line(node.start),
            last_line=self.positions.line(node.end - 1),
        )

    @property
    def takes_principal(self) -> bool:
        return self.kind in WITH_PRINCIPAL or self.kind == "endpoint"

    def exclusive(
        self, node: Node, elements: Elements, name: str, *, required: bool = True, allowed: bool = True
    ) -> None:
        """Of an element and its negation, exactly one (or none where it isn't required, or may not stand)."""
        both = [each for each in (name, f"Not{name}") if each in elements]
        if not allowed:
            for each in both:
                message = f"{each} does not belong in {self.name}."
                self.report(elements[each][0], "PROHIBITED_ELEMENT", message, "Remove it.", value=each)
        elif len(both) == 2:
            message = f"A statement has {name} or Not{name}, not both."
            self.report(elements[both[1]][0], "CONTRADICTING_ELEMENTS", message, "Remove one of them.", value=name)
        elif required and not both:
            message = f"A statement of {self.name} needs {name} or Not{name}."
            self.report(node, f"MISSING_{name.upper()}", message, "Add it.")

    def effect(self, node: Node, elements: Elements) -> Effect:
        if "Effect" not in elements:
            self.report(node, "MISSING_EFFECT", "The statement has no Effect.", 'Add "Effect": "Allow" or "Deny".')
            return "Deny"
        value = elements["Effect"][1]
        text = self.string(value, "Effect")
        if value.kind == "string" and text not in ("Allow", "Deny"):
            message = f'"{text}" is no effect.'
            self.report(value, "INVALID_EFFECT", message, 'Write "Allow" or "Deny", with a capital.', value=text)
        return cast(Effect, text)

    def sid(self, elements: Elements) -> str:
        if "Sid" not in elements:
            return ""
        node = elements["Sid"][1]
        text = self.string(node, "Sid")
        allowed = _SID_OF_RESOURCE_POLICY if self.kind == "resource" else _SID
        if not allowed.fullmatch(text):
            message = f'The Sid "{text}" has characters that are not allowed.'
            self.report(node, "INVALID_SID", message, "Use letters and digits only.", value=text)
        return text

    def texts(self, elements: Elements, name: str, check: Check) -> tuple[str, ...]:
        """The strings of an element, which may be one string or a list; each is checked."""
        if name not in elements:
            return ()
        node = elements[name][1]
        if node.kind == "array" and not node.items:
            self.report(node, f"EMPTY_{name.upper()}", f"{name} is an empty list.", "List at least one.")
        found: list[str] = []
        for item in node.items if node.kind == "array" else [node]:
            if item.kind != "string":
                message = f"{name} is a string or a list of strings, not {item.describe()}."
                self.report(item, "WRONG_TYPE", message, "Put it in double quotes.")
                continue
            self.checked(item, check(item.text) if self.has_room else None)
            found.append(item.text)
        return tuple(found)

    def checked(self, node: Node, problem: Problem | None) -> None:
        if problem is not None:
            self.report(node, problem.code, problem.message, problem.hint, problem.severity, problem.value)

    def actions(self, elements: Elements, name: str) -> tuple[str, ...]:
        return self.texts(elements, name, lambda text: check_action(text, self.kind))

    def resources(self, elements: Elements, name: str) -> tuple[str, ...]:
        return self.texts(elements, name, lambda text: check_resource(text, self.kind, variables=self.variables))

    def principals(self, elements: Elements, name: str) -> Principals | None:
        if name not in elements:
            return None
        at, node = elements[name]
        if self.kind == "resource_control" and (name == "NotPrincipal" or node.text != "*"):
            message = 'A resource control policy has "Principal": "*" and nothing else.'
            self.report(at, "INVALID_PRINCIPAL", message, "Use a condition to name principals.", value=node.text)
        if node.kind == "string":
            return self.principal_string(node)
        if node.kind != "object" or not node.members:
            message = f'{name} is "*" or an object that names principals.'
            self.report(node, "INVALID_PRINCIPAL", message, 'Write {"AWS": "…"}, with a principal.')
            return None
        groups = self.elements(node, PRINCIPAL_GROUPS, name)
        names = {group: self.texts(groups, group, self.principal_check(group)) for group in groups}
        aws = names.get("AWS", ())
        return Principals(
            everyone="*" in aws,
            aws=tuple(text for text in aws if text != "*"),
            federated=names.get("Federated", ()),
            service=names.get("Service", ()),
            canonical_user=names.get("CanonicalUser", ()),
        )

    def principal_check(self, group: str) -> Check:
        return lambda text: check_principal(group, text)

    def principal_string(self, node: Node) -> Principals:
        if node.text == "*":
            return Principals(everyone=True)
        # Not of the grammar, but plain what it means, and other tools write it.
        self.checked(node, check_principal("AWS", node.text))
        hint = f'Write {{"AWS": "{node.text}"}}.'
        self.report(node, "PRINCIPAL_STRING", "AWS refuses a principal without its kind.", hint, "warning", node.text)
        return Principals(aws=(node.text,))

    def conditions(self, elements: Elements, number: int) -> tuple[Condition, ...]:
        if "Condition" not in elements:
            return ()
        node = elements["Condition"][1]
        if node.kind != "object":
            self.report(node, "WRONG_TYPE", f"Condition is an object, not {node.describe()}.", "Write { … }.")
            return ()
        found: list[Condition] = []
        for name, block in node.members:
            found.extend(self.condition_block(name, block, number))
        return tuple(found)

    def condition_block(self, name: Node, block: Node, number: int) -> list[Condition]:
        operator = parse_operator(name.text)
        if operator is None:
            message = f'There is no condition operator "{name.text}".'
            self.report(name, "UNKNOWN_OPERATOR", message, self.guess(name, tuple(OPERATORS)), value=name.text)
        if block.kind != "object":
            message = f"{name.text} holds an object of keys and values, not {block.describe()}."
            self.report(block, "WRONG_TYPE", message, 'Write {"key": "value"}.')
            return []
        if not block.members:
            self.report(name, "EMPTY_CONDITION", f"{name.text} has no keys.", "Remove it.", "suggestion")
        seen: set[str] = set()
        found = []
        for key, value in block.members:
            if key.text.lower() in seen:
                message = f'The condition key "{key.text}" stands twice; case makes no difference.'
                self.report(key, "DUPLICATE_CONDITION_KEY", message, "Keep one of them.", value=key.text)
            if not key.text:
                self.report(key, "EMPTY_CONDITION_KEY", "A condition key has no name.", "Write one, as aws:SourceIp.")
            seen.add(key.text.lower())
            self.places[number, name.text, key.text] = key.start
            texts = self.condition_values(value)
            for node, text in texts:
                if operator is not None and self.has_room:
                    self.checked(node, check_value(text, operator, variables=self.variables))
            found.append(Condition(name.text, key.text, tuple(text for _, text in texts)))
        return found

    def condition_values(self, node: Node) -> list[tuple[Node, str]]:
        """Strings, and numbers and truth values as if they stood in quotes."""
        if node.kind == "array" and not node.items:
            self.report(node, "EMPTY_VALUES", "The list of values is empty.", "List the values.", "suggestion")
        found: list[tuple[Node, str]] = []
        for item in node.items if node.kind == "array" else [node]:
            if item.kind in ("object", "array") or item.text == "null" and item.kind == "literal":
                message = f"A value of a condition is a string, not {item.describe()}."
                self.report(item, "WRONG_TYPE", message, "Put it in double quotes.")
                continue
            found.append((item, item.text))
        return found
