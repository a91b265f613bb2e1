"""Temporary credentials: what may be asked of a session, and making its key. Nothing is stored: everything is in the
sealed token, and whose session it is is looked up at every use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from access.session_tokens import SessionClaims, packed_percent, seal
from accounts import rules
from accounts.ids import new_access_key_id
from audit import clock
from audit.errors import MalformedPolicyDocument, ServiceError, ValidationError
from audit.principal import NO_TAGS, SessionPolicies
from identities.sealed import box
from policies.documents import check_document
from policies.models import ManagedPolicy

TAG_LIMIT = 50
POLICY_ARN_LIMIT = 10
# What a console session may last, by SessionDuration of a provider or of a broker (IAM User Guide).
SHORTEST_SESSION, LONGEST_SESSION = 900, 43_200
# Characters of the document and the ARNs together (AWS_STS quotas, "session policies").
PLAIN_LIMIT = 2048


class PackedPolicyTooLarge(ServiceError):
    """Session policies and tags together take more room than a token has."""

    code = "PackedPolicyTooLarge"


class InvalidParameterValue(ServiceError):
    code = "InvalidParameterValue"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A temporary key, as its holder needs it. `expires_at` has no fraction: that is what the token says too."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What is asked of a session: its name, how long, and what shall limit or mark it. `seconds` None: as usual.
    `policy_ids` are the unique ids of the policies by ARN, where they were found together with the role."""

    name: str = ""
    seconds: int | None = None
    document: str = ""
    policy_arns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    transitive_keys: tuple[str, ...] = ()
    source_identity: str = ""
    policy_ids: Mapping[str, str] | None = None

    @property
    def policy_names(self) -> list[str]:
        return [arn.rpartition("/")[2] for arn in self.policy_arns]


def session_policies(account_id: str, requested: SessionRequest) -> SessionPolicies | None:
    """The limits that are asked for; None where none are. Raises MalformedPolicyDocument, ValidationError."""
    if not requested.document and not requested.policy_arns:
        return None
    if len(requested.policy_arns) > POLICY_ARN_LIMIT:
        raise ValidationError(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: "
            f"Member must have length less than or equal to {POLICY_ARN_LIMIT}"
        )
    if len(requested.document) + sum(map(len, requested.policy_arns)) > PLAIN_LIMIT:
        raise ValidationError(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: "
            f"Member must have length less than or equal to {PLAIN_LIMIT}"
        )
    if requested.document:
        check_document(requested.document, "session")
    return SessionPolicies(requested.document, _unique_ids(account_id, requested))


def _unique_ids(account_id: str, requested: SessionRequest) -> tuple[str, ...]:
    found = (
        _policies_named(account_id, requested.policy_names) if requested.policy_ids is None else requested.policy_ids
    )
    if missing := [arn for arn in requested.policy_arns if arn not in found]:
        raise MalformedPolicyDocument(f"Policy {missing[0]} does not exist or is not attachable.")
    return tuple(dict.fromkeys(found[arn] for arn in requested.policy_arns))


def _policies_named(account_id: str, names: Iterable[str]) -> Mapping[str, str]:
    keys = {name.lower() for name in names}
    rows = ManagedPolicy.objects.visible_to(account_id).filter(name_key__in=keys) if keys else ()
    return {policy.arn: policy.unique_id for policy in rows}


def check_session_tags(requested: SessionRequest, inherited: Mapping[str, str] = NO_TAGS) -> None:
    """`inherited` are the transitive tags of the session that asks: nothing changes them further down the chain.

    Raises InvalidParameterValue.
    """
    if problem := rules.tags_problem(requested.tags, TAG_LIMIT):
        raise InvalidParameterValue(problem)
    given, fixed = {key.casefold() for key in requested.tags}, {key.casefold() for key in inherited}
    transitive = {key.casefold() for key in requested.transitive_keys}
    if transitive & fixed:
        raise InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    if not transitive <= given:
        raise InvalidParameterValue("The specified transitive tag key must be included in the requested tags.")
    if given & fixed:
        raise InvalidParameterValue(
            "One of the specified tags can't be set because its key is a transitive tag key of the calling session."
        )


def issue(claims: SessionClaims) -> tuple[Credentials, int]:
    """The key for a session, and how much of a token's room its policies and tags take, in percent.

    Raises PackedPolicyTooLarge.
    """
    percent = packed_percent(claims.policies, claims.tags, claims.transitive_keys)
    if percent > 100:
        raise PackedPolicyTooLarge(
            f"Packed policy consumes {percent}% of allotted space, please use smaller policy or fewer tags."
        )
    access_key_id = new_access_key_id(claims.account_id, "ASIA")
    token = seal(claims, access_key_id, box())
    return Credentials(access_key_id, claims.secret, token, claims.expires_at), percent


def lifetime(seconds: int, not_after: datetime | None = None) -> tuple[datetime, datetime]:
    """From now for that long, but not beyond `not_after`; to the second, as everybody will read it."""
    now = clock.now().replace(microsecond=0)
    end = now + timedelta(seconds=seconds)
    return now, min(end, not_after) if not_after else end
