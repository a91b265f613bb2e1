from datetime import datetime

from django.db import models

from accounts.models import Account
from audit import clock
from identities.models.credentials import KeyStatus
from identities.models.users import User


class SSHPublicKey(models.Model):
    """A public key (RSA) with which a user opens SSH connections. `digest` is the key's own, whatever form it came in:
    one key is at most once with one user."""

    key_id = models.CharField(primary_key=True, max_length=21)
    user = models.ForeignKey(User, models.CASCADE, related_name="ssh_public_keys")
    slot = models.PositiveSmallIntegerField()
    body = models.TextField()
    digest = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=47)
    status = models.CharField(max_length=8, choices=KeyStatus.choices, default=KeyStatus.ACTIVE)
    uploaded_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "digest"], name="ssh_public_key_once_per_user"),
            models.UniqueConstraint(fields=["user", "slot"], name="ssh_public_keys_limited_by_slot"),
        )

    def __str__(self) -> str:
        return self.key_id

    @property
    def is_active(self) -> bool:
        return self.status == KeyStatus.ACTIVE


class ServiceSpecificCredential(models.Model):
    """A user name and password, or an API key, that one service takes. The secret is 256 random bits, so its SHA-256
    is all that is kept: nobody can guess it back, and nothing but a comparison needs it."""

    credential_id = models.CharField(primary_key=True, max_length=21)
    account = models.ForeignKey(Account, models.CASCADE, related_name="service_specific_credentials")
    user = models.ForeignKey(User, models.CASCADE, related_name="service_specific_credentials")
    service = models.CharField(max_length=64)
    slot = models.PositiveSmallIntegerField()
    alias = models.CharField(max_length=200)
    secret_hash = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=KeyStatus.choices, default=KeyStatus.ACTIVE)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "service", "slot"], name="service_specific_credentials_limited_by_slot"
            ),
            models.UniqueConstraint(
                fields=["account", "service", "alias"], name="service_specific_credential_alias_unique"
            ),
        )

    def __str__(self) -> str:
        return self.credential_id

    def status_at(self, now: datetime) -> str:
        """What is past its date is Expired, whatever it was set to."""
        return "Expired" if self.expires_at is not None and self.expires_at <= now else self.status
