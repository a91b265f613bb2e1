"""Whom a resource or trust policy lets in without meaning to."""

from collections.abc import Iterator

from policies.engine.arn import FIELDS, split_arn
from policies.engine.conditions import parse_operator
from policies.engine.document import WITH_PRINCIPAL, Condition, DocumentKind, Principals, Statement
from policies.engine.findings import Problem, Severity
from policies.engine.lint_subject import Located, Subject
from policies.engine.patterns import compile_pattern
from policies.engine.principals import account_named

# Identity providers that everybody can have an account with, and the claims one of which tells whose it is. A role that
# trusts such a provider as a whole trusts the world.
SHARED_PROVIDERS: dict[str, tuple[str, ...]] = {
    "token.actions.githubusercontent.com": (
        "sub",
        "job_workflow_ref",
        "repository",
        "repository_id",
        "repository_owner_id",
        "enterprise_id",
    ),
    "gitlab.com": ("sub", "namespace_id", "project_id", "user_id"),
    "app.terraform.io": ("sub",),
    "accounts.google.com": ("sub", "aud", "oaud", "google/organization_number"),
    "cognito-identity.amazonaws.com": ("aud", "sub"),
    "graph.facebook.com": ("app_id", "id"),
    "www.amazon.com": ("app_id", "user_id"),
    "oidc.circleci.com": ("sub", "oidc.circleci.com/project-id", "aud"),
    "agent.buildkite.com": ("sub", "organization_id", "organization_slug", "pipeline_id"),
    "api.bitbucket.org": ("sub", "aud"),
    "oidc.vercel.com": ("sub",),
    "app.pulumi.com": ("sub", "aud"),
    "api.pulumi.com": ("sub", "aud"),
    "app.scalr.io": ("sub",),
    "spacelift.io": ("sub",),
    "login.microsoftonline.com": ("sub", "oid"),
    "sts.windows.net": ("sub", "oid"),
}
_DEPUTY_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
# Services that assume roles for the account itself and send none of these keys.
_OWN_ACCOUNT_ONLY = ("ec2.amazonaws.com", "lambda.amazonaws.com", "edgelambda.amazonaws.com")
# Conditions on these say who may come. Others say how, or what strangers can choose for themselves (tags, names).
_WHO_KEYS = (
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:userid",
    "aws:vpcsourceip",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
)
_ASSUME = "sts:assumerole"
_BY_SAML = "sts:assumerolewithsaml"
_BY_TOKEN = "sts:assumerolewithwebidentity"  # noqa: S105 - the name of an action


def principals(statement: Statement, subject: Subject) -> Iterator[Located]:
    if subject.document.kind in WITH_PRINCIPAL:
        element = "NotPrincipal" if statement.not_principals else "Principal"
        for problem in principal_problems(statement, subject.document.kind):
            yield (statement.index, element), problem


def principal_problems(statement: Statement, kind: DocumentKind) -> Iterator[Problem]:
    """The problems of the Principal or NotPrincipal of one statement."""
    if statement.not_principals is not None:
        yield from _not_principal(statement, statement.not_principals)
    if statement.principals is None or kind == "resource_control":
        return
    yield from _unique_ids(statement.principals)
    if statement.effect != "Allow":
        return
    yield from _everyone(statement, statement.principals)
    yield from _shared_providers(statement, statement.principals)
    yield from _confused_deputy(statement, statement.principals, kind)
    if kind == "trust":
        yield from _ways(statement, statement.principals)


def _not_principal(statement: Statement, principals: Principals) -> Iterator[Problem]:
    if statement.effect == "Allow":
        message = "NotPrincipal with Allow grants to everybody else, strangers included."
        yield Problem("NOT_PRINCIPAL_ALLOW", message, "Name who may in Principal.", "security")
    elif principals.aws and not any(account_named(name) for name in principals.aws):
        message = "NotPrincipal in a Deny that names no account denies the others of it through their account."
        hint = "Add the account's root, or use a condition on aws:PrincipalArn in its place."
        yield Problem("NOT_PRINCIPAL_ACCOUNT", message, hint, "warning")


def _unique_ids(principals: Principals) -> Iterator[Problem]:
    for name in principals.aws:
        if name[:4] in ("AIDA", "AROA") and ":" not in name:
            message = f"{name} is the id of one user or role, perhaps of one that is gone."
            hint = "Write its ARN. If it was deleted, remove it: a new one of the same name is another."
            yield Problem("UNIQUE_ID_PRINCIPAL", message, hint, "warning", name)


def _everyone(statement: Statement, principals: Principals) -> Iterator[Problem]:
    if not principals.everyone or any(_says_who(condition) for condition in statement.conditions):
        return
    message = "This allows everybody, strangers included."
    if statement.conditions:
        message = "This allows everybody who meets its conditions, and those do not say who it is."
    yield Problem("PUBLIC", message, "Name principals, or add a condition that does.", "security")


def _says_who(condition: Condition) -> bool:
    """Whether a condition limits who may come: positively, and not when its key is missing."""
    operator = parse_operator(condition.operator)
    if operator is None or operator.base.type == "null" or operator.base.negated:
        return False
    if operator.if_exists or operator.quantifier == "ForAllValues" or _lets_all_in(condition):
        return False
    return condition.key.lower() in _WHO_KEYS


def _lets_all_in(condition: Condition) -> bool:
    return any(_is_anybody(value) for value in condition.values)


def _is_anybody(value: str) -> bool:
    """`*`, every address, or a principal of any account."""
    fields = split_arn(value)
    if len(fields) == FIELDS and fields[2] in ("iam", "sts"):
        return "*" in fields[4]
    return value.strip("*") == "" or value in ("0.0.0.0/0", "::/0")


def _shared_providers(statement: Statement, principals: Principals) -> Iterator[Problem]:
    for provider in principals.federated:
        host = provider.partition("oidc-provider/")[2] or provider
        telling = SHARED_PROVIDERS.get(host.split("/")[0].lower())
        if telling is not None and not any(_tells(condition, host, telling) for condition in statement.conditions):
            message = f"{host} serves everybody, and no condition says whose accounts are meant."
            hint = f'Add a condition on "{host}:{telling[0]}" that names yours.'
            yield Problem("SHARED_PROVIDER", message, hint, "security", provider)


def _tells(condition: Condition, host: str, telling: tuple[str, ...]) -> bool:
    """Whether a condition picks somebody out of a provider's accounts: `repo:*` does not."""
    operator = parse_operator(condition.operator)
    if operator is None or operator.base.negated or operator.if_exists or operator.quantifier == "ForAllValues":
        return False
    if operator.base.type == "null":
        return False
    provider, _, claim = condition.key.lower().rpartition(":")
    if provider.split("/")[0] != host.split("/")[0].lower() or claim not in telling:
        return False
    return not any(_names_nobody(value) for value in condition.values)


def _names_nobody(value: str) -> bool:
    """Wildcards where the owner should stand: `*`, `repo:*`, `repo:*/*:ref:refs/heads/main`."""
    kind, colon, rest = value.partition(":")
    owner = (rest if colon else kind).partition("/")[0]
    return owner == "" or owner.startswith("*") or kind.startswith("*")


def _confused_deputy(statement: Statement, principals: Principals, kind: DocumentKind) -> Iterator[Problem]:
    keys = {condition.key.lower() for condition in statement.conditions}
    services = [name for name in principals.service if name not in _OWN_ACCOUNT_ONLY]
    if keys.intersection(_DEPUTY_KEYS) or not services or kind not in ("resource", "trust"):
        return
    message = f"The service {services[0]} may act here on behalf of any account."
    hint = "Add a condition on aws:SourceAccount or aws:SourceArn."
    # A role's ARN has to be known to be handed to a service, and not every service sends these keys.
    severity: Severity = "security" if kind == "resource" else "suggestion"
    yield Problem("CONFUSED_DEPUTY", message, hint, severity, services[0])


def _ways(statement: Statement, principals: Principals) -> Iterator[Problem]:
    """Each kind of principal has its own way of assuming a role."""
    ways: list[tuple[str, str, str]] = []
    for name in principals.federated:
        if ":saml-provider/" in name:
            ways.append((name, _BY_SAML, "sts:AssumeRoleWithSAML"))
        else:
            ways.append((name, _BY_TOKEN, "sts:AssumeRoleWithWebIdentity"))
    ways += [(name, _ASSUME, "sts:AssumeRole") for name in (*principals.aws, *principals.service)]
    for name, action, written in ways:
        if statement.actions and not _has(statement, action):
            message = f"{name} assumes roles by {written}, which this statement does not allow."
            yield Problem("TRUST_WAY", message, f"Add {written}.", "warning", name)
            return
    saml = any(action == _BY_SAML for _, action, _ in ways)
    if saml and not any(condition.key.lower() == "saml:aud" for condition in statement.conditions):
        message = "Without a condition on SAML:aud an answer that was made for another service opens the role."
        hint = "Add StringEquals on SAML:aud with the address at which you sign in."
        yield Problem("SAML_AUDIENCE", message, hint, "warning")


def _has(statement: Statement, action: str) -> bool:
    # A statement that only lets tags or a source identity be set stands beside another one.
    helpers = ("sts:tagsession", "sts:setsourceidentity", "sts:setcontext")
    if all(text.lower() in helpers for text in statement.actions):
        return True
    return any(compile_pattern(text.lower()).matches(action) for text in statement.actions)


RULES = (principals,)
