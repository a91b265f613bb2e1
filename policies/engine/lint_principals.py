"""Whom a resource or trust policy lets in without meaning to."""

from collections.abc import Iterator

from policies.engine.document import DocumentKind, Principals, Statement
from policies.engine.findings import Problem
from policies.engine.principals import account_named

# Identity providers that everybody can have an account with: a role that trusts one as a whole trusts them all.
SHARED_PROVIDERS = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "graph.facebook.com",
    "www.amazon.com",
    "oidc.circleci.com",
    "agent.buildkite.com",
    "api.bitbucket.org",
)
_TELLING_KEYS = ("sub", "aud", "amr", "app_id", "user_id", "id")
_DEPUTY_KEYS = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")


def principal_problems(statement: Statement, kind: DocumentKind) -> Iterator[Problem]:
    """The problems of the Principal or NotPrincipal of one statement."""
    if statement.not_principals is not None:
        yield from _not_principal(statement, statement.not_principals)
    if statement.principals is None or statement.effect != "Allow" or kind == "resource_control":
        return
    yield from _everyone(statement, statement.principals)
    yield from _shared_providers(statement, statement.principals)
    yield from _confused_deputy(statement, statement.principals, kind)


def _not_principal(statement: Statement, principals: Principals) -> Iterator[Problem]:
    if statement.effect == "Allow":
        message = "NotPrincipal with Allow grants to everybody else, strangers included."
        yield Problem("NOT_PRINCIPAL_ALLOW", message, "Name who may in Principal.", "security")
    elif principals.aws and not any(account_named(name) for name in principals.aws):
        message = "NotPrincipal in a Deny that names no account denies the others of it through their account."
        hint = "Add the account's root, or use a condition on aws:PrincipalArn in its place."
        yield Problem("NOT_PRINCIPAL_ACCOUNT", message, hint, "warning")


def _everyone(statement: Statement, principals: Principals) -> Iterator[Problem]:
    if principals.everyone and not statement.conditions:
        message = "This allows everybody, strangers included."
        yield Problem("PUBLIC", message, "Name principals, or add a condition that does.", "security")


def _shared_providers(statement: Statement, principals: Principals) -> Iterator[Problem]:
    for provider in principals.federated:
        host = provider.partition("oidc-provider/")[2] or provider
        shared = host.split("/")[0].lower() in SHARED_PROVIDERS
        told = {condition.key.lower().rpartition(":")[2] for condition in statement.conditions}
        if shared and not told.intersection(_TELLING_KEYS):
            message = f"{host} serves everybody, and no condition says whose accounts are meant."
            hint = f'Add a condition on "{host}:sub".'
            yield Problem("SHARED_PROVIDER", message, hint, "security", provider)


def _confused_deputy(statement: Statement, principals: Principals, kind: DocumentKind) -> Iterator[Problem]:
    keys = {condition.key.lower() for condition in statement.conditions}
    if kind == "resource" and principals.service and not keys.intersection(_DEPUTY_KEYS):
        message = "The service may act here on behalf of any account."
        hint = "Add a condition on aws:SourceAccount or aws:SourceArn."
        yield Problem("CONFUSED_DEPUTY", message, hint, "security", principals.service[0])
