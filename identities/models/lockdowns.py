from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from audit import clock

# The policy that is attached to whoever is locked down, and its slot: beyond those that the quota counts.
LOCKDOWN_POLICY = "IAMUserLockdown"
LOCKDOWN_SLOT = 0


class Lockdown(models.Model):
    """That a user was locked down, by whom and why; `lifted_at` is empty for as long as it holds.

    Known by the user's unique id, which is never given out again: what it ended stays ended when the user is deleted.
    `deactivated` are the credentials that it made inactive, as `[kind, id]`.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="lockdowns")
    unique_id = models.CharField(max_length=21, db_index=True)
    reason = models.CharField(max_length=500)
    deactivated = models.JSONField(default=list, blank=True)
    locked_at = models.DateTimeField(default=clock.now)
    locked_by = models.CharField(max_length=2048)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=2048, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["unique_id"], condition=Q(lifted_at=None), name="one_lockdown_of_a_user_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(locked_by=""), name="lockdown_has_a_reason_and_somebody_behind_it"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by="")
                # What compares with nothing is neither true nor false, and would pass.
                | (Q(lifted_at__isnull=False, lifted_at__gte=F("locked_at")) & ~Q(lifted_by="")),
                name="lockdown_is_lifted_by_somebody_and_later",
            ),
        )

    def __str__(self) -> str:
        return f"lockdown of {self.unique_id} since {self.locked_at:%Y-%m-%dT%H:%M:%SZ}"
