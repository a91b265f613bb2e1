from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Account
from accounts.tags import Tag
from audit import clock
from audit.principal import root_arn
from identities.models.credentials import KeyStatus
from identities.models.users import User


class ServerCertificate(models.Model):
    """A certificate for TLS with its chain. The private key is sealed and never told again; the row is known to the
    seal by its unique id, since name and path may change."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="server_certificates")
    name = models.CharField(max_length=128)
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=128), db_persist=True
    )
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=21, unique=True)
    body = models.TextField()
    chain = models.TextField(blank=True)
    private_key_encrypted = models.TextField()
    uploaded_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "name_key"], name="server_certificate_name_unique_in_account"),
        )

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return server_certificate_arn(self.account_id, self.path, self.name)

    @property
    def sealed_row(self) -> str:
        """The row name that the sealed private key is bound to."""
        return f"server-certificate:{self.unique_id}"


def server_certificate_arn(account_id: str, path: str, name: str) -> str:
    return f"arn:aws:iam::{account_id}:server-certificate{path}{name}"


class ServerCertificateTag(Tag):
    bearer = models.ForeignKey(ServerCertificate, models.CASCADE, related_name="tags")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["bearer", "key"], name="server_certificate_tag_key_unique"),)


class SigningCertificate(models.Model):
    """An X.509 certificate that proves what a user, or root where `user` is empty, signed. One certificate is at most
    once in an account."""

    certificate_id = models.CharField(primary_key=True, max_length=32)
    account = models.ForeignKey(Account, models.CASCADE, related_name="signing_certificates")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="signing_certificates")
    slot = models.PositiveSmallIntegerField()
    body = models.TextField()
    fingerprint = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=KeyStatus.choices, default=KeyStatus.ACTIVE)
    uploaded_at = models.DateTimeField(default=clock.now)
    status_changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "fingerprint"], name="signing_certificate_once_in_account"),
            models.UniqueConstraint(
                fields=["user", "slot"], condition=Q(user__isnull=False), name="two_signing_certificates_per_user"
            ),
            models.UniqueConstraint(
                fields=["account", "slot"], condition=Q(user__isnull=True), name="two_signing_certificates_for_root"
            ),
        )

    def __str__(self) -> str:
        return self.certificate_id

    @property
    def is_active(self) -> bool:
        return self.status == KeyStatus.ACTIVE

    @property
    def owner_arn(self) -> str:
        return self.user.arn if self.user else root_arn(self.account_id)
