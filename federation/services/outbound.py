"""Our identities going out: short-lived tokens that any service with OpenID Connect can verify
(GetWebIdentityToken; id_roles_providers_outbound_token_claims)."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from accounts import ids
from accounts.models import Account
from audit import clock
from audit.errors import ServiceError, ValidationError
from audit.principal import Principal, root_arn
from audit.services import record
from federation.models import TokenIssuer, TokenSigningKey
from identities.sealed import box

ALGORITHMS = ("RS256", "ES384")
USUAL_SECONDS = 300
LONGEST = timedelta(seconds=3600)
USED_FOR = timedelta(days=90)
_NAMESPACE = "https://sts.amazonaws.com/"
_MOST_BYTES = 8192


class FeatureEnabled(ServiceError):
    code: ClassVar[str] = "FeatureEnabled"


class FeatureDisabled(ServiceError):
    code: ClassVar[str] = "FeatureDisabled"


class OutboundDisabled(ServiceError):
    code: ClassVar[str] = "OutboundWebIdentityFederationDisabledException"


class DurationEscalation(ServiceError):
    code: ClassVar[str] = "SessionDurationEscalationException"


class PayloadTooLarge(ServiceError):
    code: ClassVar[str] = "JWTPayloadSizeExceededException"


def issuer_url(issuer: TokenIssuer) -> str:
    return f"{settings.SITE_URL}/tokens/{issuer.public_id}"


@transaction.atomic
def enable_outbound_web_identity_federation(*, by: Principal) -> TokenIssuer:
    """Raises FeatureEnabled."""
    account = Account.objects.select_for_update().get(pk=by.account_id)
    issuer, is_new = TokenIssuer.objects.get_or_create(account=account)
    if issuer.is_enabled and not is_new:
        raise FeatureEnabled("Outbound web identity federation is already enabled for your account.")
    issuer.is_enabled = True
    issuer.save(update_fields=["is_enabled"])
    record(by, "iam:EnableOutboundWebIdentityFederation", root_arn(by.account_id), issuer=issuer_url(issuer))
    return issuer


@transaction.atomic
def disable_outbound_web_identity_federation(*, by: Principal) -> None:
    """Tokens that were made go on being good until they end, which is an hour at most. Raises FeatureDisabled."""
    if not TokenIssuer.objects.filter(account_id=by.account_id, is_enabled=True).update(is_enabled=False):
        raise FeatureDisabled("Outbound web identity federation is not enabled for your account.")
    record(by, "iam:DisableOutboundWebIdentityFederation", root_arn(by.account_id))


def get_outbound_web_identity_federation_info(account_id: str) -> TokenIssuer:
    """Raises FeatureDisabled."""
    issuer = TokenIssuer.objects.filter(account_id=account_id, is_enabled=True).first()
    if issuer is None:
        raise FeatureDisabled("Outbound web identity federation is not enabled for your account.")
    return issuer


@transaction.atomic
def get_web_identity_token(
    *,
    by: Principal,
    audiences: Sequence[str],
    algorithm: str,
    seconds: int | None = None,
    tags: Mapping[str, str] | None = None,
    session_ends_at: datetime | None = None,
) -> tuple[str, datetime]:
    """A token that says who the caller is, and when it ends. It can't outlive the caller's own session.

    Raises OutboundDisabled, ValidationError, DurationEscalation, PayloadTooLarge.
    """
    issuer = TokenIssuer.objects.filter(account_id=by.account_id, is_enabled=True).first()
    if issuer is None:
        raise OutboundDisabled("Outbound web identity federation is not enabled for your account.")
    if algorithm not in ALGORITHMS:
        raise ValidationError(f"The signing algorithm must be one of {', '.join(ALGORITHMS)}.")
    now = clock.now().replace(microsecond=0)
    ends = now + timedelta(seconds=seconds or USUAL_SECONDS)
    if session_ends_at is not None and ends > session_ends_at:
        raise DurationEscalation("The requested token duration would outlive the session that asks for it.")
    claims = _claims(by, issuer, audiences, tags or {}, now, ends)
    if len(json.dumps(claims).encode()) > _MOST_BYTES:
        raise PayloadTooLarge(f"The token would have more than {_MOST_BYTES} bytes; use fewer or shorter tags.")
    key = _key_in_use(issuer, algorithm, now)
    pem = box().open(key.key_encrypted, key.sealed_row)
    token = jwt.encode(claims, pem, algorithm=algorithm, headers={"kid": key.key_id})
    detail = {"audiences": list(audiences), "id": claims["jti"], "expires_at": ends.isoformat()}
    record(by, "sts:GetWebIdentityToken", claims["sub"], **detail)
    return token, ends


def _claims(
    by: Principal,
    issuer: TokenIssuer,
    audiences: Sequence[str],
    tags: Mapping[str, str],
    now: datetime,
    ends: datetime,
) -> dict[str, Any]:
    facts: dict[str, Any] = {"aws_account": by.account_id, "principal_id": by.arn}
    if by.tags:
        facts["principal_tags"] = dict(by.tags)
    if tags:
        facts["request_tags"] = dict(tags)
    return {
        "iss": issuer_url(issuer),
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "sub": by.issuer_arn if by.type == "role-session" else by.arn,
        "iat": int(now.timestamp()),
        "nbf": int(now.timestamp()),
        "exp": int(ends.timestamp()),
        "jti": str(uuid.uuid4()),
        _NAMESPACE: facts,
    }


def published_keys(issuer: TokenIssuer) -> list[dict[str, Any]]:
    return [key.public_jwk for key in keys_published_at(issuer, clock.now())]


def keys_published_at(issuer: TokenIssuer, now: datetime) -> list[TokenSigningKey]:
    """Those in use, and those retired so lately that a token made with them may still be good."""
    lately = now - 2 * LONGEST
    keys = issuer.keys.filter(Q(retired_at=None) | Q(retired_at__gt=lately))
    return list(keys.order_by("created_at", "key_id"))


def discovery_document(issuer: TokenIssuer) -> dict[str, Any]:
    """OpenID Connect Discovery 3, as far as it is about verifying tokens."""
    url = issuer_url(issuer)
    return {
        "issuer": url,
        "jwks_uri": f"{url}/.well-known/jwks.json",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "claims_supported": ["iss", "aud", "sub", "iat", "nbf", "exp", "jti", _NAMESPACE],
    }


def _key_in_use(issuer: TokenIssuer, algorithm: str, now: datetime) -> TokenSigningKey:
    """Made when first needed, and a new one when it has been used for long enough."""
    keys = issuer.keys.filter(algorithm=algorithm, retired_at=None)
    key = keys.first()
    if key is not None and key.created_at + USED_FOR > now:
        return key
    if key is not None:
        keys.filter(created_at__lte=now - USED_FOR).update(retired_at=now)
    try:
        with transaction.atomic():
            return _new_key(issuer, algorithm)
    except IntegrityError:
        # Somebody else was first: of two in use the constraint lets in one.
        return keys.get()


def _new_key(issuer: TokenIssuer, algorithm: str) -> TokenSigningKey:
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if algorithm == "RS256":
        private = rsa.generate_private_key(65537, 2048)
        public = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    else:
        private = ec.generate_private_key(ec.SECP384R1())
        public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    row = TokenSigningKey(key_id=ids.new_unique_id("ATSK"), issuer=issuer, algorithm=algorithm)
    wanted = {name: public[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in public}
    row.public_jwk = {**wanted, "kid": row.key_id, "alg": algorithm, "use": "sig"}
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    row.key_encrypted = box().seal(pem, row.sealed_row)
    row.save(force_insert=True)
    return row
