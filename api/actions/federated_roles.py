"""Calls that exchange an outside proof for credentials of a role; they carry no signature."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from access import federated_roles, throttle
from access.assume_role import ROLE_ARN
from accounts.models import Account
from api.actions.sts import role_session, session_request
from api.registry import Call, Result, Target, action
from audit.errors import ServiceError, ValidationError
from federation.errors import InvalidIdentityToken
from federation.oidc import OAUTH_ONLY, WebIdentity


@action("sts:AssumeRoleWithSAML", resource=None)
def assume_role_with_saml(call: Call) -> Result:
    with about(call):
        made, claims, provider = federated_roles.assume_role_with_saml(
            role_arn=call["RoleArn"],
            provider_arn=call["PrincipalArn"],
            response=call["SAMLAssertion"],
            requested=session_request(call),
            origin=call.principal.origin,
        )
    return {
        **role_session(made),
        "Subject": claims.name_id,
        "SubjectType": claims.subject_type,
        "Issuer": claims.issuer,
        "Audience": claims.recipient,
        "NameQualifier": claims.name_qualifier(provider.account_id, provider.name),
    }


@action("sts:AssumeRoleWithWebIdentity", resource=None)
def assume_role_with_web_identity(call: Call) -> Result:
    with about(call):
        if "ProviderId" in call:
            throttle.step_try(federated_roles.TRIES, call.principal.origin.address)
            raise _no_access_tokens(call["ProviderId"])
        made, person, provider = federated_roles.assume_role_with_web_identity(
            role_arn=call["RoleArn"],
            token=call["WebIdentityToken"],
            requested=session_request(call),
            origin=call.principal.origin,
        )
    return {
        **role_session(made),
        "SubjectFromWebIdentityToken": person.subject,
        "Provider": provider_shown(person, provider),
        "Audience": person.audience,
    }


def _no_access_tokens(provider_id: str) -> ServiceError:
    """An access token says nothing by itself: only the company that made it can, and it would have to be shown to it
    at every use. What SDKs know as a bad token is the honest answer."""
    if provider_id not in OAUTH_ONLY:
        return ValidationError("ProviderId must be www.amazon.com or graph.facebook.com; leave it out for ID tokens.")
    return InvalidIdentityToken(
        f"OAuth 2.0 access tokens of {provider_id} are not accepted here: this console shows nobody's tokens to the "
        "company that made them. Leave ProviderId out and give an OpenID Connect ID token."
    )


def provider_shown(person: WebIdentity, provider: str) -> str:
    """The ARN of a provider of the account, the issuer of one that everybody knows."""
    return provider if provider.startswith("arn:") else person.name


@contextmanager
def about(call: Call) -> Iterator[None]:
    """What is refused is recorded with the account whose role was asked for, where there is one."""
    call.target = Target(call["RoleArn"])
    try:
        yield
    except ServiceError:
        parts = ROLE_ARN.fullmatch(call["RoleArn"])
        if parts and Account.objects.filter(pk=parts.group(1)).exists():
            call.principal = replace(call.principal, account_id=parts.group(1))
        raise
