"""SAML providers: what an account knows of an outside company, and which keys of ours it encrypts for."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.db import transaction

from accounts import ids
from accounts.models import Account
from accounts.slots import create_in_free_slot, lowest_free
from accounts.tags import delete_tags
from accounts.taken_names import taken_name_refused
from audit import clock
from audit.errors import InvalidInput, LimitExceeded, NoSuchEntity, ValidationError
from audit.principal import Principal
from audit.services import record
from database.inserts import PreparedInsert
from database.returning import delete_returning, delete_row_returning
from federation.models import EncryptionMode, SAMLPrivateKey, SAMLProvider
from federation.saml.metadata import read_metadata
from federation.saml.parsing import SAMLError
from federation.services import tags as provider_tags
from identities.sealed import box

NAME_LIMIT = 128
PRIVATE_KEYS = 2
_LONGEST_PRIVATE_KEY = 16384
_NAME_MARKS = frozenset("._-")
# What the trail tells of a provider and what may change of it.
_TOLD = ("entity_id", "certificates", "valid_until", "encryption_mode", "starts_sign_in", "disabled_at")
_PROVIDERS = PreparedInsert(SAMLProvider)


def name_problem(name: str) -> str:
    """The sentence that says what is wrong with a provider's name; '' when it is fine."""
    if not name:
        return "Enter a name for the provider."
    if len(name) > NAME_LIMIT:
        return f"The name has {len(name)} characters; at most {NAME_LIMIT} are allowed."
    if not all(char.isascii() and (char.isalnum() or char in _NAME_MARKS) for char in name):
        return "The name holds a character that is not allowed; use letters, digits and . _ -"
    return ""


@transaction.atomic
def create_saml_provider(
    *,
    by: Principal,
    name: str,
    metadata: str,
    tags: Mapping[str, str] | None = None,
    encryption_mode: str = "",
    private_key: str = "",
) -> SAMLProvider:
    """Trust nobody yet: a role's trust policy says what the provider's people may become.

    Raises ValidationError, InvalidInput, EntityAlreadyExists, LimitExceeded.
    """
    account = Account.objects.select_for_update().get(pk=by.account_id)
    if problem := name_problem(name):
        raise ValidationError(problem, field="name")
    provider_tags.check_tags(tags or {}, account.quota("tags"))
    _check_encryption(encryption_mode, has_key=bool(private_key))
    provider = SAMLProvider(
        account=account,
        name=name,
        unique_id=ids.new_unique_id("ASPI") + ids.new_unique_id("")[:11],
        encryption_mode=encryption_mode,
        **_of_metadata(metadata),
    )
    _save_new(provider, account.quota("saml_providers"))
    if tags:
        provider_tags.write(provider, tags)
    keys = [_add_private_key(provider, private_key, ())] if private_key else []
    record(by, "iam:CreateSAMLProvider", provider.arn, after=_facts(provider, keys), tags=dict(tags or {}))
    return provider


@transaction.atomic
def update_saml_provider(
    *,
    by: Principal,
    provider: SAMLProvider,
    metadata: str | None = None,
    encryption_mode: str | None = None,
    add_private_key: str = "",
    remove_private_key: str = "",
) -> SAMLProvider:
    """Replace the metadata, change how assertions are encrypted, add and remove private keys; all or nothing.

    Raises InvalidInput, LimitExceeded, NoSuchEntity.
    """
    values = {**_values(metadata, encryption_mode), "updated_at": clock.now()}
    former = _update(provider, values)
    provider, keys = copy(former), list(former.private_keys.all())
    vars(provider).update(values)
    keys_after = _changed_keys(provider, keys, remove_private_key, add_private_key)
    _check_encryption(provider.encryption_mode, has_key=bool(keys_after))
    before, after = _facts(former, keys), _facts(provider, keys_after)
    record(by, "iam:UpdateSAMLProvider", provider.arn, before=before, after=after)
    return provider


@transaction.atomic
def set_use(*, by: Principal, provider: SAMLProvider, enabled: bool, starts_sign_in: bool) -> SAMLProvider:
    """Whether the provider is believed at all, and whether its people may begin at its own pages. Ours, not AWS's: a
    provider under suspicion is switched off at once, and back on with nothing lost."""
    provider = _locked(provider)
    keys = list(provider.private_keys.all())
    before = _facts(provider, keys)
    provider.disabled_at = None if enabled else provider.disabled_at or clock.now()
    provider.starts_sign_in = starts_sign_in
    provider.updated_at = clock.now()
    provider.save(update_fields=["disabled_at", "starts_sign_in", "updated_at"])
    record(by, "iam:UpdateSAMLProvider", provider.arn, before=before, after=_facts(provider, keys))
    return provider


@transaction.atomic
def delete_saml_provider(*, by: Principal, provider: SAMLProvider) -> None:
    """Roles that name it keep its ARN in their trust policies, and nobody comes in through it any more."""
    found = delete_row_returning(provider)
    if found is None:
        raise _not_there(provider)
    provider = found
    keys = [SAMLPrivateKey(key_id=key_id) for (key_id,) in delete_returning(provider.private_keys.all(), "key_id")]
    tags = delete_tags(provider)
    record(by, "iam:DeleteSAMLProvider", provider.arn, before=_facts(provider, keys), tags=tags)


@transaction.atomic
def tag_saml_provider(*, by: Principal, provider: SAMLProvider, tags: Mapping[str, str]) -> None:
    """Raises InvalidInput for a bad tag, LimitExceeded for more than the quota."""
    provider = _locked(provider)
    before, after = provider_tags.add(provider, tags)
    record(by, "iam:TagSAMLProvider", provider.arn, before=before, after=after)


@transaction.atomic
def untag_saml_provider(*, by: Principal, provider: SAMLProvider, keys: Iterable[str]) -> None:
    """A key that is not there is no error, as in AWS."""
    provider = _locked(provider)
    before, after = provider_tags.remove(provider, keys)
    record(by, "iam:UntagSAMLProvider", provider.arn, before=before, after=after)


def _locked(provider: SAMLProvider) -> SAMLProvider:
    rows = SAMLProvider.objects.select_for_update(of=("self",)).select_related("account")
    found = rows.filter(pk=provider.pk).first()
    if found is None:
        raise _not_there(provider)
    return found


def _not_there(provider: SAMLProvider) -> NoSuchEntity:
    return NoSuchEntity(f"Manifest not found for arn {provider.arn}")


def _update(provider: SAMLProvider, values: Mapping[str, Any]) -> SAMLProvider:
    """Compare and set: one statement writes to the row, and keeps it from others, if all that the trail tells of it is
    still as it was read. Otherwise it is locked and read again first. Returns what was there before."""
    unchanged = {name: getattr(provider, name) for name in _TOLD}
    if not SAMLProvider.objects.filter(pk=provider.pk, **unchanged).update(**values):
        provider = _locked(provider)
        SAMLProvider.objects.filter(pk=provider.pk).update(**values)
    return provider


def _values(metadata: str | None, encryption_mode: str | None) -> dict[str, Any]:
    """The columns that are to change."""
    values = {} if metadata is None else _of_metadata(metadata)
    if encryption_mode is None:
        return values
    _check_encryption(encryption_mode, has_key=True)
    return {**values, "encryption_mode": encryption_mode}


def _of_metadata(metadata: str) -> dict[str, Any]:
    """The columns that metadata fill."""
    try:
        read = read_metadata(metadata)
    except SAMLError as error:
        raise InvalidInput(f"Could not parse metadata: {error}", field="metadata") from error
    return {
        "metadata_document": metadata,
        "entity_id": read.entity_id,
        "single_sign_on_url": read.sign_in_url,
        "certificates": [key.text for key in read.keys],
        "valid_until": read.valid_until,
    }


def _check_encryption(mode: str, *, has_key: bool) -> None:
    if mode and mode not in EncryptionMode.values:
        raise InvalidInput("Assertions are encrypted as Required or as Allowed.", field="encryption_mode")
    if mode == EncryptionMode.REQUIRED and not has_key:
        raise InvalidInput(
            "Encryption can't be required without a private key to decrypt with: add one.", field="encryption_mode"
        )


def _changed_keys(
    provider: SAMLProvider, keys: Sequence[SAMLPrivateKey], remove: str, pem: str
) -> Sequence[SAMLPrivateKey]:
    """Remove one and add one, of which either may be ''. Together the new one takes the place of the other."""
    if not remove:
        return [*keys, _add_private_key(provider, pem, keys)] if pem else keys
    kept = [key for key in keys if key.key_id != remove]
    if len(kept) == len(keys):
        raise NoSuchEntity(f"The private key {remove} cannot be found.", field="remove_private_key")
    removed = provider.private_keys.filter(key_id=remove)
    if not pem:
        removed.delete()
        return kept
    new = _new_private_key(provider, pem)
    removed.update(key_id=new.key_id, key_encrypted=new.key_encrypted, created_at=new.created_at)
    return [*kept, new]


def _new_private_key(provider: SAMLProvider, pem: str, slot: int = 0) -> SAMLPrivateKey:
    check_private_key(pem)
    key_id = ids.new_unique_id("ASPK") + ids.new_unique_id("")[:11]
    row = SAMLPrivateKey(key_id=key_id, provider=provider, slot=slot)
    row.key_encrypted = box().seal(pem, row.sealed_row)
    return row


def _add_private_key(provider: SAMLProvider, pem: str, present: Iterable[SAMLPrivateKey]) -> SAMLPrivateKey:
    def create(slot: int) -> SAMLPrivateKey:
        row = _new_private_key(provider, pem, slot)
        row.save(force_insert=True)
        return row

    return create_in_free_slot(
        lowest_free(key.slot for key in present),
        PRIVATE_KEYS,
        create,
        quota_name="PrivateKeysPerSAMLProvider",
    )


def check_private_key(pem: str) -> None:
    """Raises InvalidInput for what can't decrypt: SAML encrypts to RSA keys."""
    problem = "The private key must be an RSA key of 2048 bits or more in PEM form, without a password."
    if len(pem) > _LONGEST_PRIVATE_KEY:
        raise InvalidInput(problem, field="private_key")
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise InvalidInput(problem, field="private_key") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
        raise InvalidInput(problem, field="private_key")


def _save_new(provider: SAMLProvider, quota: int) -> None:
    """The account is locked: of two who take the last place, the second waits and then sees it taken."""
    with taken_name_refused(f"SAMLProvider with name {provider.name} already exists."):
        has_room = _PROVIDERS.insert_below(quota, provider, of="account")
    if not has_room:
        raise LimitExceeded(f"Cannot exceed quota for SAMLProvidersPerAccount: {quota}")


def _facts(provider: SAMLProvider, keys: Iterable[SAMLPrivateKey]) -> dict[str, Any]:
    """What the audit trail keeps of a provider."""
    return {
        "name": provider.name,
        "entity_id": provider.entity_id,
        "certificates": len(provider.certificates),
        "valid_until": provider.valid_until.isoformat(),
        "encryption_mode": provider.encryption_mode,
        "private_keys": sorted(key.key_id for key in keys),
        "starts_sign_in": provider.starts_sign_in,
        "enabled": provider.disabled_at is None,
    }
