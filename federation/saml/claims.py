"""What an assertion says, in AWS's attribute names and as condition keys (id_roles_providers_create_saml_assertions,
reference_policies_iam-condition-keys). Pure."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_AWS = "https://aws.amazon.com/SAML/Attributes/"
ROLE = f"{_AWS}Role"
ROLE_SESSION_NAME = f"{_AWS}RoleSessionName"
SESSION_DURATION = f"{_AWS}SessionDuration"
SOURCE_IDENTITY = f"{_AWS}SourceIdentity"
TRANSITIVE_TAG_KEYS = f"{_AWS}TransitiveTagKeys"
PRINCIPAL_TAG = f"{_AWS}PrincipalTag:"

_NAME_ID_2_0 = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
_EDU_PERSON = "urn:oid:1.3.6.1.4.1.5923.1.1.1."
_EDU_ORG = "urn:oid:1.3.6.1.4.1.5923.1.2.1."
_WS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

# Attribute name to the condition keys that it becomes.
CONDITION_KEYS: Mapping[str, tuple[str, ...]] = {
    **{
        f"{_EDU_PERSON}{number}": (f"saml:eduperson{word}",)
        for number, word in enumerate(
            (
                "affiliation",
                "nickname",
                "orgdn",
                "orgunitdn",
                "primaryaffiliation",
                "principalname",
                "entitlement",
                "primaryorgunitdn",
                "scopedaffiliation",
                "targetedid",
                "assurance",
            ),
            start=1,
        )
    },
    **{
        f"{_EDU_ORG}{number}": (f"saml:eduorg{word}",)
        for number, word in enumerate(
            ("homepageuri", "identityauthnpolicyuri", "legalname", "superioruri", "whitepagesuri"), start=2
        )
    },
    "urn:oid:2.5.4.3": ("saml:cn", "saml:commonName"),
    "urn:oid:2.5.4.4": ("saml:surname",),
    "urn:oid:2.5.4.42": ("saml:givenName",),
    "urn:oid:2.5.4.45": ("saml:x500UniqueIdentifier",),
    "urn:oid:0.9.2342.19200300.100.1.1": ("saml:uid",),
    "urn:oid:0.9.2342.19200300.100.1.3": ("saml:mail",),
    "urn:oid:0.9.2342.19200300.100.1.45": ("saml:organizationStatus",),
    "http://schemas.xmlsoap.org/claims/CommonName": ("saml:commonName",),
    f"{_WS}name": ("saml:name",),
    f"{_WS}givenname": ("saml:givenName",),
    f"{_WS}surname": ("saml:surname",),
    f"{_WS}emailaddress": ("saml:mail",),
    f"{_WS}privatepersonalidentifier": ("saml:uid",),
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": ("saml:primaryGroupSID",),
}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified assertion says. `usable_until` is how long its id has to be remembered."""

    issuer: str
    assertion_id: str
    name_id: str
    name_id_format: str
    recipient: str
    in_response_to: str
    attributes: Mapping[str, tuple[str, ...]]
    usable_until: datetime
    session_ends_at: datetime | None

    @property
    def subject_type(self) -> str:
        """`persistent`, `transient`, …; of other families the whole URN."""
        return self.name_id_format.removeprefix(_NAME_ID_2_0)

    def values(self, attribute: str) -> tuple[str, ...]:
        return self.attributes.get(attribute, ())

    @property
    def roles(self) -> tuple[tuple[str, str], ...]:
        """(role ARN, provider ARN) of each Role value, in whichever order it names them; others are left out."""
        pairs = [tuple(part.strip() for part in value.split(",")) for value in self.values(ROLE)]
        found = [(pair[1], pair[0]) if ":saml-provider/" in pair[0] else pair for pair in pairs if len(pair) == 2]
        return tuple(dict.fromkeys((role, provider) for role, provider in found if ":role/" in role))

    @property
    def tags(self) -> dict[str, str]:
        """Session tags; one with several values is none."""
        return {
            attribute.removeprefix(PRINCIPAL_TAG): values[0]
            for attribute, values in self.attributes.items()
            if attribute.startswith(PRINCIPAL_TAG) and len(values) == 1
        }

    @property
    def transitive_tag_keys(self) -> tuple[str, ...]:
        return self.values(TRANSITIVE_TAG_KEYS)

    def name_qualifier(self, account_id: str, provider_name: str) -> str:
        """With the subject it names a person, whatever else has the same subject."""
        text = f"{self.issuer}{account_id}/{provider_name}"
        # AWS's own formula: a name for a pair, nothing that has to resist anybody.
        return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()

    def condition_keys(self, account_id: str, provider_name: str) -> dict[str, tuple[str, ...]]:
        """What a role's trust policy can ask about."""
        keys: dict[str, tuple[str, ...]] = {
            "saml:aud": (self.recipient,),
            "saml:iss": (self.issuer,),
            "saml:sub": (self.name_id,),
            "saml:sub_type": (self.subject_type,),
            "saml:namequalifier": (self.name_qualifier(account_id, provider_name),),
            "saml:doc": (f"{account_id}/{provider_name}",),
        }
        for attribute, values in self.attributes.items():
            for key in CONDITION_KEYS.get(attribute, ()):
                keys[key] = (*keys.get(key, ()), *values)
        return keys
