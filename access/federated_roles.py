"""Roles for people and programs that an outside provider vouches for (AssumeRoleWithSAML, AssumeRoleWithWebIdentity).

They have no identity here and no policies: the role's trust policy alone decides, on what the provider said of them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction

from access import throttle
from access.assume_role import ROLE_ARN, NotAllowed, RoleSession, find_role_for, issue_role_session, session_context
from access.gate import normalised, outsider_context
from access.temporary_credentials import LONGEST_SESSION, SHORTEST_SESSION, SessionRequest
from access.trust import trust_of
from audit import clock
from audit.errors import ValidationError
from audit.explanation import full
from audit.principal import Origin, Principal
from federation.errors import InvalidIdentityToken
from federation.models import SAMLProvider
from federation.oidc import WebIdentity
from federation.saml.claims import ROLE_SESSION_NAME, SESSION_DURATION, SOURCE_IDENTITY, Claims
from federation.services.assertions import provider_with_keys, redeem
from federation.services.web_identities import read_token
from identities.models import Role
from policies.engine import PolicySet, Request, RequestPrincipal, evaluate

Operation = Literal["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"]
# Refused tries of one address; those that succeed don't count, so that a cluster behind one address goes on.
TRIES = throttle.Limit("federation-from-address", 60, timedelta(minutes=15), by_address=True)
_PROVIDER_ARN = re.compile(r"arn:aws:iam::(\d{12}):saml-provider/([\w._-]{1,128})", re.ASCII)
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FederatedIdentity:
    """Somebody from outside, as proven. `provider` is how a trust policy names who vouches, `keys` are the condition
    keys that it fills, `unique_id` tells the person apart from all others."""

    operation: Operation
    provider: str
    subject: str
    unique_id: str
    keys: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_keys: tuple[str, ...] = ()
    source_identity: str = ""
    not_after: datetime | None = None

    def principal(self, account_id: str, origin: Origin) -> Principal:
        """For the audit trail of the account whose role it is."""
        name = self.subject[:128]
        return Principal(account_id, "federated", self.provider, self.unique_id[:193], name, origin=origin)

    def complete(self, requested: SessionRequest) -> SessionRequest:
        """What is asked of the session, with what the provider said about it."""
        return replace(
            requested, tags=self.tags, transitive_keys=self.transitive_keys, source_identity=self.source_identity
        )


def identity_from_saml(provider: SAMLProvider, claims: Claims) -> FederatedIdentity:
    """Raises InvalidIdentityToken for a source identity that is none."""
    qualifier = claims.name_qualifier(provider.account_id, provider.name)
    return FederatedIdentity(
        operation="AssumeRoleWithSAML",
        provider=provider.arn,
        subject=claims.name_id,
        unique_id=f"{qualifier}:{claims.name_id}",
        keys=claims.condition_keys(provider.account_id, provider.name),
        tags=claims.tags,
        transitive_keys=claims.transitive_tag_keys,
        source_identity=_source_identity(claims.values(SOURCE_IDENTITY)),
        not_after=_end(claims),
    )


def identity_from_token(provider: str, person: WebIdentity) -> FederatedIdentity:
    return FederatedIdentity(
        operation="AssumeRoleWithWebIdentity",
        provider=provider,
        subject=person.subject,
        unique_id=f"{person.name}:{person.audience}:{person.subject}",
        keys=person.condition_keys(),
        tags=person.tags,
        transitive_keys=person.transitive_tag_keys,
        source_identity=_source_identity((person.source_identity,) if person.source_identity else ()),
    )


def may_assume(who: FederatedIdentity, role: Role, requested: SessionRequest, origin: Origin) -> bool:
    """Whether the role's trust policy lets them in, with the tags and the source identity that they bring."""
    return all(evaluate(each, _trusting(role)).allowed for each in _questions(who, role, requested, origin))


def refused_by(
    who: FederatedIdentity, roles: Iterable[Role | None], requested: SessionRequest, origin: Origin, message: str
) -> NotAllowed:
    """The refusal. Outside it is the same whatever the reason; the first role that is there explains itself."""
    refusal, role = NotAllowed(message), next(filter(None, roles), None)
    for question in _questions(who, role, requested, origin) if role else ():
        decision = evaluate(question, _trusting(role), explain=True)
        if not decision.allowed:
            refusal.explanation = full(question, _trusting(role), decision)
            break
    return refusal


def _questions(who: FederatedIdentity, role: Role, requested: SessionRequest, origin: Origin) -> Iterator[Request]:
    """What has to be allowed: the role, and the tags and the source identity that the session would carry."""
    requested = who.complete(requested)
    actions = [f"sts:{who.operation}"]
    actions += ["sts:TagSession"] if requested.tags else []
    actions += ["sts:SetSourceIdentity"] if requested.source_identity else []
    general = outsider_context(who.principal("", origin))
    given = normalised(session_context(role, requested))
    asker = RequestPrincipal(arn=who.provider, account_id="", type="federated")
    for action in actions:
        yield Request(action, role.arn, {**general, **given, **who.keys}, asker, resource_account=role.account_id)


def _trusting(role: Role | None) -> PolicySet:
    return PolicySet(resource=trust_of(role), resource_required=True)


def assume_as(
    who: FederatedIdentity, role: Role | None, requested: SessionRequest, origin: Origin, *, longest: int | None = None
) -> RoleSession:
    """A session of the role. Raises NotAllowed, in the same words for a role that is not there, and what
    `issue_role_session` raises."""
    if role is None or not may_assume(who, role, requested, origin):
        raise refused_by(who, [role], requested, origin, f"Not authorized to perform sts:{who.operation}")
    return issue_role_session(
        by=who.principal(role.account_id, origin),
        role=role,
        requested=who.complete(requested),
        made_by=who.operation,
        provider=who.provider,
        not_after=who.not_after,
        longest=longest,
    )


def assume_role_with_saml(
    *, role_arn: str, provider_arn: str, response: str, requested: SessionRequest, origin: Origin
) -> tuple[RoleSession, Claims, SAMLProvider]:
    """Raises ValidationError, Throttled, InvalidIdentityToken, ExpiredToken, NotAllowed and what `assume_as` raises."""
    counted = throttle.step_try(TRIES, origin.address)
    _check_role_arn(role_arn)
    parts = _PROVIDER_ARN.fullmatch(provider_arn)
    if parts is None:
        raise ValidationError(f"{provider_arn} is invalid")
    # What is refused for another reason has not used its assertion up.
    with transaction.atomic():
        provider = provider_with_keys(*parts.groups())
        claims = redeem(provider, response, clock.now())
        if provider is None or (role_arn, provider_arn) not in claims.roles:
            raise NotAllowed("Not authorized to perform sts:AssumeRoleWithSAML")
        role, requested = find_role_for(role_arn, replace(requested, name=session_name(claims)))
        own = role if role is not None and role.account_id == provider.account_id else None
        made = assume_as(identity_from_saml(provider, claims), own, requested, origin)
    counted.succeeded()
    return made, claims, provider


def assume_role_with_web_identity(
    *, role_arn: str, token: str, requested: SessionRequest, origin: Origin
) -> tuple[RoleSession, WebIdentity, str]:
    """Raises ValidationError, Throttled, InvalidIdentityToken, ExpiredToken, IDPCommunicationError, NotAllowed and what
    `assume_as` raises."""
    counted = throttle.step_try(TRIES, origin.address)
    parts = _check_role_arn(role_arn)
    provider, person = read_token(parts.group(1), token, clock.now())
    made = assume_as(identity_from_token(provider, person), *find_role_for(role_arn, requested), origin)
    counted.succeeded()
    return made, person, provider


def _check_role_arn(role_arn: str) -> re.Match[str]:
    parts = ROLE_ARN.fullmatch(role_arn)
    if parts is None:
        raise ValidationError(f"{role_arn} is invalid")
    return parts


def session_name(claims: Claims) -> str:
    """Raises InvalidIdentityToken."""
    values = claims.values(ROLE_SESSION_NAME)
    if len(values) != 1:
        raise InvalidIdentityToken("RoleSessionName is required in AuthnResponse")
    if not _NAME.fullmatch(values[0]):
        raise InvalidIdentityToken("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
    return values[0]


def _source_identity(values: tuple[str, ...]) -> str:
    if not values:
        return ""
    if len(values) != 1 or not _NAME.fullmatch(values[0]) or values[0].lower().startswith("aws:"):
        raise InvalidIdentityToken(
            'SourceIdentity in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64} and cannot begin with "aws:"'
        )
    return values[0]


def session_seconds(claims: Claims) -> int | None:
    """How long the provider wants console sessions to be; None when it does not say. Raises InvalidIdentityToken."""
    values = claims.values(SESSION_DURATION)
    if not values:
        return None
    if len(values) != 1 or not values[0].isascii() or not values[0].isdigit() or len(values[0]) > 5:
        raise InvalidIdentityToken("SessionDuration in AuthnResponse must be a number of seconds")
    if not SHORTEST_SESSION <= int(values[0]) <= LONGEST_SESSION:
        raise InvalidIdentityToken(
            f"SessionDuration in AuthnResponse must be between {SHORTEST_SESSION} and {LONGEST_SESSION}"
        )
    return int(values[0])


def _end(claims: Claims) -> datetime | None:
    """The moment that no session outlives: the provider's own, and the duration that it gives."""
    seconds = session_seconds(claims)
    ends = [claims.session_ends_at] if claims.session_ends_at else []
    if seconds is not None:
        ends.append(clock.now().replace(microsecond=0) + timedelta(seconds=seconds))
    return min(ends, default=None)
