"""What a token of an OpenID Connect issuer says, as condition keys and session facts (id_roles_providers_oidc,
reference_policies_iam-condition-keys, id_session-tags). Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from federation.jwt import TokenError

TAGS = "https://aws.amazon.com/tags"
SOURCE_IDENTITY = "https://aws.amazon.com/source_identity"
GOOGLE, COGNITO = "accounts.google.com", "cognito-identity.amazonaws.com"
# Issuers that every account knows without a provider of its own; a trust policy names them by host.
BUILT_IN: Mapping[str, str] = {f"https://{host}": host for host in (GOOGLE, COGNITO)} | {GOOGLE: GOOGLE}
# They hand out access tokens, which only they can check; AWS asks them, we don't.
OAUTH_ONLY = frozenset({"www.amazon.com", "graph.facebook.com"})
_LONGEST_SUBJECT = 255
_MOST_KEYS = 100
_OUR_OWN = frozenset({"aud", "oaud", "azp", TAGS, SOURCE_IDENTITY})


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """A verified token. `name` is the issuer as condition keys name it: its URL without the scheme."""

    name: str
    claims: Mapping[str, Any]

    @property
    def subject(self) -> str:
        return str(self.claims["sub"])

    @property
    def audiences(self) -> tuple[str, ...]:
        found = self.claims["aud"]
        return (found,) if isinstance(found, str) else tuple(found)

    @property
    def audience(self) -> str:
        """The one that STS tells: who asked for the token where it says so, else the first it was made for."""
        return str(self.claims.get("azp") or self.audiences[0])

    @property
    def tags(self) -> dict[str, str]:
        """Session tags, each a list of one value. Raises TokenError for any other form."""
        tags = self._tag_claim().get("principal_tags", {})
        if not isinstance(tags, Mapping):
            raise TokenError("The token's principal_tags are no object.")
        return {str(key): _one(value, key) for key, value in tags.items()}

    @property
    def transitive_tag_keys(self) -> tuple[str, ...]:
        keys = self._tag_claim().get("transitive_tag_keys", [])
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise TokenError("The token's transitive_tag_keys are no list of texts.")
        return tuple(keys)

    @property
    def source_identity(self) -> str:
        value = self.claims.get(SOURCE_IDENTITY, "")
        if not isinstance(value, str):
            raise TokenError("The token's source identity is no text.")
        return value

    def condition_keys(self) -> dict[str, tuple[str, ...]]:
        """Every plain claim under the issuer's name. `aud` is the party that asked, where the token says so, and
        `oaud` whom it was made for, as AWS has it."""
        keys = {
            f"{self.name}:{claim}": values
            for claim, value in list(self.claims.items())[:_MOST_KEYS]
            if claim not in _OUR_OWN and (values := _values(value))
        }
        asked = self.claims.get("azp")
        keys[f"{self.name}:aud"] = (asked,) if asked else self.audiences
        keys[f"{self.name}:oaud"] = self.audiences
        if asked:
            keys[f"{self.name}:azp"] = (asked,)
        return keys

    def _tag_claim(self) -> Mapping[str, Any]:
        claim = self.claims.get(TAGS, {})
        if not isinstance(claim, Mapping):
            raise TokenError("The token's session tags are no object.")
        return claim


def identity_of(name: str, claims: Mapping[str, Any], client_ids: Collection[str] | None) -> WebIdentity:
    """The person of a verified token, made for one of the audiences. `client_ids` None: an issuer that everybody
    knows, where the trust policy has to ask. Raises TokenError."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= _LONGEST_SUBJECT:
        raise TokenError("The token names nobody.")
    _check_audience(claims, client_ids)
    return WebIdentity(name, claims)


def _check_audience(claims: Mapping[str, Any], client_ids: Collection[str] | None) -> None:
    """Made for one of them, and where it says who asked for it, asked for by one of them."""
    audiences = claims.get("aud")
    if isinstance(audiences, str):
        audiences = [audiences]
    if not isinstance(audiences, list) or not audiences or not all(isinstance(each, str) for each in audiences):
        raise TokenError("Incorrect token audience")
    asked = claims.get("azp")
    if asked is not None and (not isinstance(asked, str) or not asked):
        raise TokenError("Incorrect token audience")
    if client_ids is None:
        return
    if not set(audiences) & set(client_ids) or (asked is not None and asked not in client_ids):
        raise TokenError("Incorrect token audience")


def _values(value: Any) -> tuple[str, ...]:
    """A claim as the values of a condition key; () for what is no plain value."""
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, (str, int)):
        return (str(value),)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    return ()


def _one(value: Any, key: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0]
    raise TokenError(f"The session tag {str(key)[:128]} must have exactly one value.")
