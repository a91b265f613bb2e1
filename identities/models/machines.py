from datetime import datetime

from django.db import models
from django.db.models.functions import Lower

from accounts.models import Account
from audit import clock
from identities.models.roles import InstanceProfile


class Machine(models.Model):
    """A computer whose applications get credentials of the role in its instance profile. It proves itself by a key
    pair of its own, made there, whose public half it registers once with a join token; only that token's hash is kept.

    `proof_at` is the time, in microseconds, that the last accepted proof named: each has to be later, so that none
    counts twice. Without a profile, or with an empty one, the machine gets nothing.
    """

    machine_id = models.CharField(primary_key=True, max_length=19)
    account = models.ForeignKey(Account, models.CASCADE, related_name="machines")
    name = models.CharField(max_length=128)
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=128), db_persist=True
    )
    slot = models.PositiveIntegerField()
    profile = models.ForeignKey(InstanceProfile, models.SET_NULL, null=True, blank=True, related_name="machines")
    public_key = models.CharField(max_length=44, blank=True)
    proof_at = models.BigIntegerField(default=0)
    join_hash = models.CharField(max_length=64, unique=True)
    join_expires_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    last_address = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "name_key"], name="machine_name_unique_in_account"),
            models.UniqueConstraint(fields=["account", "slot"], name="machines_limited_by_slot"),
        )

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return machine_arn(self.account_id, self.name)

    @property
    def has_joined(self) -> bool:
        return bool(self.public_key)

    def can_join(self, now: datetime) -> bool:
        """Whether its join token would still work."""
        return not self.has_joined and now < self.join_expires_at


def machine_arn(account_id: str, name: str) -> str:
    return f"arn:aws:iamconsole::{account_id}:machine/{name}"
