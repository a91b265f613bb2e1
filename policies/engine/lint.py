"""Everything worth saying about a document: the grammar's findings, and what is allowed but dangerous or useless.

After the checks of IAM Access Analyzer ("Access Analyzer policy checks"). Errors are exactly those that `parse` raises.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from policies.engine.arn import FIELDS, split_arn
from policies.engine.conditions import parse_operator
from policies.engine.document import WITH_PRINCIPAL, Document, DocumentKind, Statement
from policies.engine.escalation import RESOURCE_POLICY_ACTIONS, reachable
from policies.engine.findings import Finding, Problem
from policies.engine.index import candidates
from policies.engine.lint_conditions import condition_problems, required_keys
from policies.engine.lint_principals import principal_problems
from policies.engine.parse import Examined, examine
from policies.engine.patterns import compile_pattern

Place = tuple[int, str] | tuple[int, str, str]
Located = tuple[Place, Problem]
Rule = Callable[[Statement, Document], Iterator[Located]]

PASS_ROLE = "iam:passrole"  # noqa: S105 - the name of an action
_EVERYTHING = ("*", "*:*")
# Lists too long for comparing each entry with each are only looked through for doubles.
_COMPARED_CHARACTERS = 500_000
_MAX_FINDINGS = 200


def lint(text: str, kind: DocumentKind = "identity") -> tuple[Finding, ...]:
    """All findings about a text, by place. Never raises."""
    examined = examine(text, kind)
    if examined.document is None:
        return examined.findings
    document = examined.document
    located = [each for statement in document.statements for rule in RULES for each in rule(statement, document)]
    located += _document_problems(document)
    located = located[:_MAX_FINDINGS]
    findings = [*examined.findings, *(_finding(examined, place, problem) for place, problem in located)]
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.column, finding.code)))


def _finding(examined: Examined, place: Place, problem: Problem) -> Finding:
    offset = examined.places.get(place, examined.places.get((place[0], ""), 0))
    line, column = examined.positions.line_and_column(offset)
    return Finding(problem.severity, problem.code, problem.message, problem.hint, line, column, problem.value)


def _grants(statement: Statement, document: Document) -> bool:
    """Whether a statement allows something by itself: boundaries and control policies only limit."""
    return statement.effect == "Allow" and document.kind in ("identity", "session", "resource", "trust")


def _names_everything(statement: Statement) -> bool:
    return "*" in statement.resources or bool(statement.not_resources)


def _everything_allowed(statement: Statement, document: Document) -> Iterator[Located]:
    if not _grants(statement, document) or not _names_everything(statement) or statement.conditions:
        return
    where = (statement.index, "Action")
    for action in statement.actions:
        if action in _EVERYTHING:
            message = "This allows every action on every resource."
            yield where, Problem("ALLOWS_EVERYTHING", message, "Name the actions that are needed.", "security", action)
        elif action.endswith(":*"):
            message = f"This allows every action of {action[:-2]} on every resource."
            hint = "Name the actions or the resources that are needed."
            yield where, Problem("ALLOWS_SERVICE", message, hint, "warning", action)


def _not_action_allowed(statement: Statement, document: Document) -> Iterator[Located]:
    if statement.not_actions and _grants(statement, document):
        message = "NotAction with Allow grants every other action, those of the future included."
        hint = "List what is needed in Action."
        yield (statement.index, "NotAction"), Problem("NOT_ACTION_ALLOW", message, hint, "security")
    if statement.not_resources and _grants(statement, document):
        message = "NotResource with Allow grants every other resource, those of the future included."
        hint = "List what is needed in Resource."
        yield (statement.index, "NotResource"), Problem("NOT_RESOURCE_ALLOW", message, hint, "security")


def _pass_role(document: Document) -> Iterator[Located]:
    for statement in _speaking_about(document, PASS_ROLE):
        wide = any(_is_any_role(resource) for resource in statement.resources) or bool(statement.not_resources)
        limited = any(condition.key.lower() == "iam:passedtoservice" for condition in statement.conditions)
        if wide and not limited and _grants(statement, document):
            message = "iam:PassRole on every role lets its holder use any role through a service."
            hint = "Name the roles, and the service in a condition on iam:PassedToService."
            yield (statement.index, "Resource"), Problem("PASS_ROLE_EVERYWHERE", message, hint, "security")


def _is_any_role(resource: str) -> bool:
    fields = split_arn(resource)
    return resource == "*" or (len(fields) == FIELDS and fields[5] in ("*", "role/*", "role*"))


def _speaking_about(document: Document, action: str) -> Iterator[Statement]:
    return (each.statement for each in candidates(document, action.lower()))


def _fits(pattern: str, action: str) -> bool:
    if pattern in _EVERYTHING:
        return True
    service, _, name = action.lower().partition(":")
    other, _, names = pattern.lower().partition(":")
    return service == other and compile_pattern(names).matches(name)


def _resource_policies(document: Document) -> Iterator[Located]:
    for action in RESOURCE_POLICY_ACTIONS if document.kind == "identity" else ():
        for statement in _speaking_about(document, action):
            if statement.effect == "Allow" and statement.actions and _is_named(statement, action):
                message = f"{action} lets its holder open the resource to anybody."
                hint = "Give it to those only who manage access."
                place = (statement.index, "Action")
                yield place, Problem("PERMISSIONS_MANAGEMENT", message, hint, "security", action)


def _is_named(statement: Statement, action: str) -> bool:
    """Whether an action is named more closely than by its whole service, which has a finding of its own."""
    service = action.partition(":")[0]
    close = (text for text in statement.actions if text not in _EVERYTHING and text.lower() != f"{service}:*")
    return any(_fits(text, action) for text in close)


def _wide_arn(statement: Statement, document: Document) -> Iterator[Located]:
    if not _grants(statement, document):
        return
    for resource in statement.resources:
        fields = split_arn(resource)
        if len(fields) == FIELDS and fields[3] == fields[4] == "*" and fields[5].endswith("*"):
            beginning = fields[5].rstrip("*")
            if not beginning or beginning.endswith(("/", ":")):
                message = f'"{resource}" is every resource of its kind, in every account.'
                hint = "Name the account, or the resource."
                yield (statement.index, "Resource"), Problem("WIDE_RESOURCE", message, hint, "warning", resource)


def _redundant(statement: Statement, document: Document) -> Iterator[Located]:
    """Texts of a list that another text of it covers."""
    actions = tuple(text.lower() for text in (statement.actions or statement.not_actions))
    resources = statement.resources or statement.not_resources
    lists = (
        (actions, "NotAction" if statement.not_actions else "Action", "REDUNDANT_ACTION"),
        (resources, "NotResource" if statement.not_resources else "Resource", "REDUNDANT_RESOURCE"),
    )
    for texts, element, code in lists:
        for text in _covered(texts):
            message = f'"{text}" is covered by another entry of the list.'
            yield (statement.index, element), Problem(code, message, "Remove it.", "suggestion", text)


def _covered(texts: tuple[str, ...]) -> list[str]:
    counts = Counter(texts)
    covered = [text for text, times in counts.items() if times > 1]
    wild = [text for text in counts if "*" in text or "?" in text]
    if len(wild) * sum(map(len, counts)) > _COMPARED_CHARACTERS:
        return covered
    wide = [(text, compile_pattern(text)) for text in wild]
    return [
        text for text in counts if text in covered or any(text != wider and each.matches(text) for wider, each in wide)
    ]


def _old_variables(statement: Statement, document: Document) -> Iterator[Located]:
    if document.has_variables:
        return
    elements = {"Resource": statement.resources, "NotResource": statement.not_resources}
    for element, texts in elements.items():
        for text in texts:
            if "${" in text:
                message = f'"{text}" is read as it stands: this version of the language has no variables.'
                hint = 'Write "Version": "2012-10-17".'
                yield (statement.index, element), Problem("VARIABLE_IN_OLD_VERSION", message, hint, "warning", text)


def _control_policy(statement: Statement, document: Document) -> Iterator[Located]:
    if document.kind != "resource_control" or _is_full_access(statement):
        return
    if statement.effect == "Allow":
        message = "AWS takes Deny statements only in a resource control policy."
        yield (statement.index, "Effect"), Problem("RCP_ALLOW", message, "Write a Deny.", "warning")
    if any(action in _EVERYTHING for action in statement.actions):
        message = 'AWS does not take "*" as the Action of a resource control policy.'
        yield (statement.index, "Action"), Problem("RCP_ACTION", message, "Name a service, as s3:*.", "warning")


def _is_full_access(statement: Statement) -> bool:
    """The statement of the policy that AWS itself puts on every level."""
    return statement.effect == "Allow" and statement.actions == ("*",) and statement.resources == ("*",)


def _document_problems(document: Document) -> Iterator[Located]:
    yield from _repeated_statements(document)
    yield from _pass_role(document)
    yield from _resource_policies(document)
    if document.kind != "identity":
        return
    for what, actions in reachable(partial(_is_allowed_widely, document)):
        place = next(index for index in _allowing(document, actions[0]))
        message = f"With {' and '.join(actions)} its holder can {what}."
        hint = "Limit the resources, or add a permissions boundary as a condition."
        yield (place, "Action"), Problem("PRIVILEGE_ESCALATION", message, hint, "security", ", ".join(actions))


def _is_allowed_widely(document: Document, action: str) -> bool:
    """Whether a document allows an action on everything of its kind, without conditions."""
    denied = any(each.denies and each.covers_everything for each in candidates(document, action.lower()))
    return not denied and next(_allowing(document, action), None) is not None


def _allowing(document: Document, action: str) -> Iterator[int]:
    for compiled in candidates(document, action.lower()):
        statement = compiled.statement
        wide = any(_is_wide(resource) for resource in statement.resources) or bool(statement.not_resources)
        if not compiled.denies and not statement.conditions and wide:
            yield statement.index


def _is_wide(resource: str) -> bool:
    """`*`, or an ARN whose name is nothing but the kind of the resource."""
    fields = split_arn(resource)
    if len(fields) < FIELDS:
        return resource.endswith("*") or len(fields) > 1
    kind, _, name = fields[5].partition("/")
    return fields[5] == "*" or (name == "*" and "*" not in kind)


def _repeated_statements(document: Document) -> Iterator[Located]:
    seen: dict[object, int] = {}
    for statement in document.statements:
        content = (
            statement.effect,
            frozenset(statement.actions),
            frozenset(statement.not_actions),
            frozenset(statement.resources),
            frozenset(statement.not_resources),
            statement.principals,
            statement.not_principals,
            frozenset(statement.conditions),
        )
        if content in seen:
            message = f"This statement says the same as statement {seen[content] + 1}."
            yield (statement.index, ""), Problem("REDUNDANT_STATEMENT", message, "Remove it.", "suggestion")
        seen.setdefault(content, statement.index)


def _conditions(statement: Statement, document: Document) -> Iterator[Located]:
    required = required_keys(statement)
    for condition in statement.conditions:
        operator = parse_operator(condition.operator)
        allows = statement.effect == "Allow" and condition.key.lower() not in required
        if operator is not None:
            for problem in condition_problems(condition, operator, allows=allows):
                yield (statement.index, condition.operator, condition.key), problem


def _principals(statement: Statement, document: Document) -> Iterator[Located]:
    if document.kind in WITH_PRINCIPAL:
        for problem in principal_problems(statement, document.kind):
            element = "NotPrincipal" if statement.not_principals else "Principal"
            yield (statement.index, element), problem


RULES: tuple[Rule, ...] = (
    _everything_allowed,
    _not_action_allowed,
    _wide_arn,
    _redundant,
    _old_variables,
    _control_policy,
    _conditions,
    _principals,
)
