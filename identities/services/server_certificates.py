"""Server certificates: stored for whoever serves TLS with them. A private key that came in is never told again."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from accounts import ids, rules
from accounts.models import Account
from accounts.tags import check_tags, delete_tags, drop_tags, put_tags
from accounts.taken_names import taken_name_refused
from audit import clock
from audit.errors import LimitExceeded, NoSuchEntity, ValidationError
from audit.principal import Principal
from audit.services import record
from identities.models import ServerCertificate, ServerCertificateTag
from identities.public_keys import check_chain, check_dates, check_key_pair, read_certificate
from identities.sealed import box
from identities.services.deletion import delete_if_unused

NAME_LIMIT = 128


@transaction.atomic
def upload_server_certificate(
    *,
    by: Principal,
    name: str,
    body: str,
    private_key: str,
    chain: str = "",
    path: str = "/",
    tags: Mapping[str, str] | None = None,
) -> ServerCertificate:
    """Store a certificate with the key that it belongs to and the chain that leads to its root.

    Raises ValidationError, InvalidInput (tags), MalformedCertificate, KeyPairMismatch, LimitExceeded,
    EntityAlreadyExists.
    """
    tags = tags or {}
    _check_shape(name, path)
    expires_at = _checked(body, private_key, chain)
    # The lock makes counting safe: of two who take the last place, the second waits and then sees it taken.
    account = Account.objects.select_for_update().get(pk=by.account_id)
    check_tags(tags, account.quota("tags"))
    if account.server_certificates.count() >= (quota := account.quota("server_certificates")):
        raise LimitExceeded(f"Cannot exceed quota for ServerCertificatesPerAccount: {quota}")
    row = ServerCertificate(account=account, name=name, path=path, unique_id=ids.new_unique_id("ASCA"))
    row.body, row.chain, row.expires_at = body.strip(), chain.strip(), expires_at
    row.private_key_encrypted = box().seal(private_key, row.sealed_row)
    _save_name(row)
    ServerCertificateTag.objects.bulk_create(
        [ServerCertificateTag(bearer=row, key=key, value=tags[key]) for key in tags]
    )
    record(by, "iam:UploadServerCertificate", row.arn, after=_facts(row), tags=dict(tags))
    return row


def get_server_certificate(account_id: str, name: str) -> ServerCertificate:
    """The account's certificate of that name, in any case. Raises NoSuchEntity."""
    row = ServerCertificate.objects.filter(account_id=account_id, name_key=name.lower()).first()
    if row is None:
        raise no_such_certificate(name)
    return row


@transaction.atomic
def update_server_certificate(
    *, by: Principal, certificate: ServerCertificate, new_name: str | None = None, new_path: str | None = None
) -> ServerCertificate:
    """Rename a certificate or move it to another path. Raises ValidationError, EntityAlreadyExists, NoSuchEntity."""
    row = _locked(certificate)
    before, old_arn = _facts(row), row.arn
    row.name = row.name if new_name is None else new_name
    row.path = row.path if new_path is None else new_path
    _check_shape(row.name, row.path)
    _save_name(row)
    record(by, "iam:UpdateServerCertificate", old_arn, before=before, after=_facts(row))
    return row


@transaction.atomic
def delete_server_certificate(*, by: Principal, certificate: ServerCertificate) -> None:
    """Delete a certificate and its private key for good. Raises NoSuchEntity."""
    row = _locked(certificate)
    delete_if_unused(row, {})
    record(by, "iam:DeleteServerCertificate", row.arn, before=_facts(row), tags=delete_tags(row))


@transaction.atomic
def tag_server_certificate(*, by: Principal, certificate: ServerCertificate, tags: Mapping[str, str]) -> None:
    """Add tags or change their values. Raises InvalidInput, LimitExceeded, NoSuchEntity."""
    row = _locked(certificate)
    quota = row.account.quota("tags")
    before, after = put_tags(row, tags, quota, quota_name="TagsPerServerCertificate")
    record(by, "iam:TagServerCertificate", row.arn, before=before, after=after)


@transaction.atomic
def untag_server_certificate(*, by: Principal, certificate: ServerCertificate, keys: Iterable[str]) -> None:
    """Remove tags by key; one that is not there is no error. Raises NoSuchEntity."""
    row = _locked(certificate)
    before, after = drop_tags(row, keys)
    record(by, "iam:UntagServerCertificate", row.arn, before=before, after=after)


def no_such_certificate(name: str) -> NoSuchEntity:
    return NoSuchEntity(f"The Server Certificate with name {name} cannot be found.")


def _check_shape(name: str, path: str) -> None:
    if problem := rules.name_problem(name, NAME_LIMIT, "certificate name"):
        raise ValidationError(problem, field="name")
    if problem := rules.path_problem(path):
        raise ValidationError(problem, field="path")


def _checked(body: str, private_key: str, chain: str) -> Any:
    """Everything that must fit together does; returns when the certificate ends."""
    certificate = read_certificate(body)
    check_dates(certificate, clock.now())
    check_key_pair(certificate, private_key)
    if chain.strip():
        check_chain(certificate, chain)
    return certificate.not_valid_after_utc


def _save_name(row: ServerCertificate) -> None:
    with taken_name_refused(f"The Server Certificate with name {row.name} already exists."):
        row.save()


def _locked(certificate: ServerCertificate) -> ServerCertificate:
    found = (
        ServerCertificate.objects.select_for_update(of=("self",))
        .select_related("account")
        .filter(pk=certificate.pk)
        .first()
    )
    if found is None:
        raise no_such_certificate(certificate.name)
    return found


def _facts(row: ServerCertificate) -> dict[str, Any]:
    return {"name": row.name, "path": row.path, "unique_id": row.unique_id, "expires_at": row.expires_at.isoformat()}
