"""OpenID Connect providers: which issuer an account knows, and for which audiences its tokens may be made."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import Account
from audit.errors import EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity
from audit.principal import Principal
from audit.services import record
from federation.models import OIDCClientId, OIDCProvider, OIDCSignIn
from federation.services import tags as provider_tags
from identities.slots import create_in_slot

URL_LIMIT = 255
CLIENT_IDS = 100
THUMBPRINTS = 5
_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})+")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*")
LOOPBACK = ("127.0.0.1", "localhost")


def url_problem(url: str) -> str:
    """The sentence that says why an issuer's URL can't be used; '' when it is fine."""
    if len(url) > URL_LIMIT:
        return f"The URL has {len(url)} characters; at most {URL_LIMIT} are allowed."
    if is_loopback(url):
        return ""
    try:
        parts = urlsplit(url)
        has_port = parts.port is not None
    except ValueError:
        return "The URL can't be read; it looks like https://id.example.com."
    if not url.startswith("https://"):
        return "The URL must begin with https://."
    if has_port or "@" in parts.netloc or "?" in url or "#" in url:
        return "The URL can't have a port, a user name, a query or a fragment: host and path only."
    if not _HOST.fullmatch(parts.netloc) or not _PATH.fullmatch(parts.path):
        return "The URL can't be read; it looks like https://id.example.com."
    return ""


def is_loopback(url: str) -> bool:
    """Plain http to this very machine: only where the setting for development allows it."""
    if not settings.FEDERATION_ALLOW_LOOPBACK or not url.startswith("http://"):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.hostname in LOOPBACK and "@" not in parts.netloc and not parts.query and not parts.fragment


@transaction.atomic
def create_oidc_provider(
    *,
    by: Principal,
    url: str,
    client_ids: Sequence[str] = (),
    thumbprints: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> OIDCProvider:
    """Trust nobody yet: a role's trust policy says whose tokens it accepts.

    Raises InvalidInput, EntityAlreadyExists, LimitExceeded.
    """
    # The lock makes counting safe: of two who take the last place, the second waits and then sees it taken.
    account = Account.objects.select_for_update().get(pk=by.account_id)
    if problem := url_problem(url):
        raise InvalidInput(problem, field="url")
    provider_tags.check_tags(tags or {}, account.quota("tags"))
    quota = account.quota("oidc_providers")
    if account.oidc_providers.count() >= quota:
        raise LimitExceeded(f"Cannot exceed quota for OpenIdConnectProvidersPerAccount: {quota}")
    provider = OIDCProvider(account=account, url=url.partition("://")[2], issuer=url)
    provider.thumbprints = _checked_thumbprints(thumbprints)
    try:
        with transaction.atomic():
            provider.save()
    except IntegrityError as error:
        raise EntityAlreadyExists(f"Provider with url {url} already exists.", field="url") from error
    _first_client_ids(provider, list(dict.fromkeys(client_ids)))
    provider_tags.add(provider, tags or {})
    record(by, "iam:CreateOpenIDConnectProvider", provider.arn, after=recorded_facts(provider), tags=dict(tags or {}))
    return provider


@transaction.atomic
def add_client_id(*, by: Principal, provider: OIDCProvider, client_id: str) -> None:
    """One that is there already is no error, as in AWS. Raises InvalidInput, LimitExceeded, NoSuchEntity."""
    provider = locked(provider)
    before = recorded_facts(provider)
    _add_client_id(provider, client_id)
    record(by, "iam:AddClientIDToOpenIDConnectProvider", provider.arn, before=before, after=recorded_facts(provider))


@transaction.atomic
def remove_client_id(*, by: Principal, provider: OIDCProvider, client_id: str) -> None:
    """One that is not there is no error, as in AWS."""
    provider = locked(provider)
    before = recorded_facts(provider)
    provider.client_ids.filter(client_id=client_id).delete()
    record(
        by, "iam:RemoveClientIDFromOpenIDConnectProvider", provider.arn, before=before, after=recorded_facts(provider)
    )


@transaction.atomic
def update_thumbprints(*, by: Principal, provider: OIDCProvider, thumbprints: Sequence[str]) -> None:
    """Replace the whole list. Raises InvalidInput, NoSuchEntity."""
    provider = locked(provider)
    before = recorded_facts(provider)
    provider.thumbprints = _checked_thumbprints(thumbprints)
    provider.save(update_fields=["thumbprints"])
    record(by, "iam:UpdateOpenIDConnectProviderThumbprint", provider.arn, before=before, after=recorded_facts(provider))


@transaction.atomic
def delete_oidc_provider(*, by: Principal, provider: OIDCProvider) -> None:
    """Roles that name it keep its ARN in their trust policies, and nobody comes in through it any more."""
    provider = locked(provider)
    before, arn, tags = recorded_facts(provider), provider.arn, provider_tags.tags_of(provider)
    provider.delete()
    record(by, "iam:DeleteOpenIDConnectProvider", arn, before=before, tags=tags)


@transaction.atomic
def tag_oidc_provider(*, by: Principal, provider: OIDCProvider, tags: Mapping[str, str]) -> None:
    """Raises InvalidInput for a bad tag, LimitExceeded for more than the quota."""
    provider = locked(provider)
    before, after = provider_tags.add(provider, tags)
    record(by, "iam:TagOpenIDConnectProvider", provider.arn, before=before, after=after)


@transaction.atomic
def untag_oidc_provider(*, by: Principal, provider: OIDCProvider, keys: Iterable[str]) -> None:
    """A key that is not there is no error, as in AWS."""
    provider = locked(provider)
    before, after = provider_tags.remove(provider, keys)
    record(by, "iam:UntagOpenIDConnectProvider", provider.arn, before=before, after=after)


def locked(provider: OIDCProvider) -> OIDCProvider:
    rows = OIDCProvider.objects.select_for_update(of=("self",)).select_related("account")
    found = rows.filter(pk=provider.pk).first()
    if found is None:
        raise NoSuchEntity(f"OpenIDConnect Provider not found for arn {provider.arn}")
    return found


def _first_client_ids(provider: OIDCProvider, client_ids: Sequence[str]) -> None:
    for client_id in client_ids:
        _check_client_id(client_id)
    if len(client_ids) > CLIENT_IDS:
        raise LimitExceeded(f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS}")
    rows = (OIDCClientId(provider=provider, client_id=each, slot=slot) for slot, each in enumerate(client_ids, start=1))
    OIDCClientId.objects.bulk_create(rows)


def _check_client_id(client_id: str) -> None:
    if not 1 <= len(client_id) <= 255 or not client_id.isprintable():
        raise InvalidInput("A client ID has 1 to 255 printable characters.", field="client_id")


def _add_client_id(provider: OIDCProvider, client_id: str) -> None:
    _check_client_id(client_id)
    if provider.client_ids.filter(client_id=client_id).exists():
        return

    def create(slot: int) -> OIDCClientId:
        return OIDCClientId.objects.create(provider=provider, client_id=client_id, slot=slot)

    create_in_slot(provider.client_ids.all(), CLIENT_IDS, create, quota_name="ClientIdsPerOpenIdConnectProvider")


def _checked_thumbprints(thumbprints: Sequence[str]) -> list[str]:
    if len(thumbprints) > THUMBPRINTS:
        raise InvalidInput("Thumbprint list must contain fewer than 5 entries.", field="thumbprints")
    if not all(_THUMBPRINT.fullmatch(thumbprint) for thumbprint in thumbprints):
        raise InvalidInput("A thumbprint has 40 hexadecimal digits (SHA-1).", field="thumbprints")
    return [thumbprint.lower() for thumbprint in thumbprints]


def recorded_facts(provider: OIDCProvider) -> dict[str, Any]:
    """What the audit trail keeps of a provider."""
    return {
        "url": provider.url,
        "client_ids": sorted(provider.client_ids.values_list("client_id", flat=True)),
        "thumbprints": provider.thumbprints,
        **_sign_in_facts(provider),
    }


def _sign_in_facts(provider: OIDCProvider) -> dict[str, Any]:
    """Of console sign-in, where it was ever set up."""
    row = OIDCSignIn.objects.filter(provider=provider).select_related("client").first()
    if row is None:
        return {}
    facts = {
        "client_id": row.client.client_id,
        "scopes": row.scopes,
        "enabled": row.is_enabled,
        "listed": row.is_listed,
    }
    return {"console_sign_in": facts}
