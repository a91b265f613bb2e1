"""OpenID Connect providers: which issuer an account knows, and for which audiences its tokens may be made."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from accounts.models import Account
from accounts.slots import create_in_free_slot, lowest_free
from accounts.tags import delete_tags
from accounts.taken_names import taken_name_refused
from audit.errors import InvalidInput, LimitExceeded, NoSuchEntity
from audit.principal import Principal
from audit.services import record
from database.inserts import PreparedInsert
from database.returning import delete_returning, delete_row_returning
from federation.models import OIDCClientId, OIDCProvider
from federation.services import tags as provider_tags

URL_LIMIT = 255
CLIENT_IDS = 100
THUMBPRINTS = 5
_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})+")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*")
_SIGN_IN = ("scopes", "is_enabled", "is_listed")
_PROVIDERS = PreparedInsert(OIDCProvider)
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
    account = Account.objects.select_for_update().get(pk=by.account_id)
    if problem := url_problem(url):
        raise InvalidInput(problem, field="url")
    provider_tags.check_tags(tags or {}, account.quota("tags"))
    provider = OIDCProvider(account=account, url=url.partition("://")[2], issuer=url)
    provider.thumbprints = _checked_thumbprints(thumbprints)
    _save_new(provider, account.quota("oidc_providers"))
    clients = _first_client_ids(provider, list(dict.fromkeys(client_ids)))
    provider_tags.write(provider, tags or {})
    after = _facts(provider, clients)
    record(by, "iam:CreateOpenIDConnectProvider", provider.arn, after=after, tags=dict(tags or {}))
    return provider


@transaction.atomic
def add_client_id(*, by: Principal, provider: OIDCProvider, client_id: str) -> None:
    """One that is there already is no error, as in AWS. Raises InvalidInput, LimitExceeded, NoSuchEntity."""
    _check_client_id(client_id)
    provider = locked(provider)
    before = _clients(provider)
    added = [] if client_id in _names(before) else [_add_client_id(provider, client_id, before)]
    facts, facts_after = _facts(provider, before), _facts(provider, [*before, *added])
    record(by, "iam:AddClientIDToOpenIDConnectProvider", provider.arn, before=facts, after=facts_after)


@transaction.atomic
def remove_client_id(*, by: Principal, provider: OIDCProvider, client_id: str) -> None:
    """One that is not there is no error, as in AWS. With that of the console's sign-in, the sign-in goes."""
    provider = locked(provider)
    before = _clients(provider)
    after = [client for client in before if client.client_id != client_id]
    if len(after) < len(before):
        provider.client_ids.filter(client_id=client_id).delete()
    facts, facts_after = _facts(provider, before), _facts(provider, after)
    record(by, "iam:RemoveClientIDFromOpenIDConnectProvider", provider.arn, before=facts, after=facts_after)


@transaction.atomic
def update_thumbprints(*, by: Principal, provider: OIDCProvider, thumbprints: Sequence[str]) -> None:
    """Replace the whole list. Raises InvalidInput, NoSuchEntity."""
    provider = locked(provider)
    clients = _clients(provider)
    before = _facts(provider, clients)
    provider.thumbprints = _checked_thumbprints(thumbprints)
    provider.save(update_fields=["thumbprints"])
    after = _facts(provider, clients)
    record(by, "iam:UpdateOpenIDConnectProviderThumbprint", provider.arn, before=before, after=after)


@transaction.atomic
def delete_oidc_provider(*, by: Principal, provider: OIDCProvider) -> None:
    """Roles that name it keep its ARN in their trust policies, and nobody comes in through it any more."""
    found = delete_row_returning(provider)
    if found is None:
        raise _not_there(provider)
    provider = found
    clients = [
        OIDCClientId(client_id=client_id, scopes=scopes, is_enabled=bool(enabled), is_listed=bool(listed))
        for client_id, scopes, enabled, listed in delete_returning(provider.client_ids.all(), "client_id", *_SIGN_IN)
    ]
    before, tags = _facts(provider, clients), delete_tags(provider)
    record(by, "iam:DeleteOpenIDConnectProvider", provider.arn, before=before, tags=tags)


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
        raise _not_there(provider)
    return found


def _not_there(provider: OIDCProvider) -> NoSuchEntity:
    return NoSuchEntity(f"OpenIDConnect Provider not found for arn {provider.arn}")


def _save_new(provider: OIDCProvider, quota: int) -> None:
    """The account is locked: of two who take the last place, the second waits and then sees it taken."""
    with taken_name_refused(f"Provider with url {provider.issuer} already exists.", field="url"):
        has_room = _PROVIDERS.insert_below(quota, provider, of="account")
    if not has_room:
        raise LimitExceeded(f"Cannot exceed quota for OpenIdConnectProvidersPerAccount: {quota}")


def _first_client_ids(provider: OIDCProvider, client_ids: Sequence[str]) -> list[OIDCClientId]:
    for client_id in client_ids:
        _check_client_id(client_id)
    if len(client_ids) > CLIENT_IDS:
        raise LimitExceeded(f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS}")
    rows = (OIDCClientId(provider=provider, client_id=each, slot=slot) for slot, each in enumerate(client_ids, start=1))
    return OIDCClientId.objects.bulk_create(rows)


def _check_client_id(client_id: str) -> None:
    if not 1 <= len(client_id) <= 255 or not client_id.isprintable():
        raise InvalidInput("A client ID has 1 to 255 printable characters.", field="client_id")


def _add_client_id(provider: OIDCProvider, client_id: str, present: Iterable[OIDCClientId]) -> OIDCClientId:
    def create(slot: int) -> OIDCClientId:
        return OIDCClientId.objects.create(provider=provider, client_id=client_id, slot=slot)

    free = lowest_free(client.slot for client in present)
    return create_in_free_slot(free, CLIENT_IDS, create, quota_name="ClientIdsPerOpenIdConnectProvider")


def _checked_thumbprints(thumbprints: Sequence[str]) -> list[str]:
    if len(thumbprints) > THUMBPRINTS:
        raise InvalidInput("Thumbprint list must contain fewer than 5 entries.", field="thumbprints")
    if not all(_THUMBPRINT.fullmatch(thumbprint) for thumbprint in thumbprints):
        raise InvalidInput("A thumbprint has 40 hexadecimal digits (SHA-1).", field="thumbprints")
    return [thumbprint.lower() for thumbprint in thumbprints]


def recorded_facts(provider: OIDCProvider) -> dict[str, Any]:
    """What the audit trail keeps of a provider."""
    return _facts(provider, _clients(provider))


def _clients(provider: OIDCProvider) -> list[OIDCClientId]:
    return list(provider.client_ids.all())


def _names(clients: Iterable[OIDCClientId]) -> list[str]:
    return sorted(client.client_id for client in clients)


def _facts(provider: OIDCProvider, clients: Sequence[OIDCClientId]) -> dict[str, Any]:
    sign_in = next((facts for client in clients if (facts := _sign_in_of(client))), None)
    facts = {"url": provider.url, "client_ids": _names(clients), "thumbprints": provider.thumbprints}
    return {**facts, "console_sign_in": sign_in} if sign_in else facts


def _sign_in_of(client: OIDCClientId) -> dict[str, Any]:
    """Of console sign-in, where it was ever set up with this client."""
    if not client.scopes:
        return {}
    facts = {"client_id": client.client_id, "scopes": client.scopes}
    return {**facts, "enabled": client.is_enabled, "listed": client.is_listed}
