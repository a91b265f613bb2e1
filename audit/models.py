import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from audit import clock

# The id of the temporary key that an event tells of having made.
MADE_KEY = Cast(KT("detail__made_key"), models.TextField())


class Outcome(models.TextChoices):
    SUCCESS = "Success"
    DENIED = "Denied"
    FAILURE = "Failure"


class EventQuerySet(models.QuerySet["Event"]):
    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("Audit events are append-only; they are removed only with their whole account.")

    def update(self, **kwargs: object) -> int:
        raise TypeError("Audit events are append-only.")

    def of_account(self, account_id: str) -> "EventQuerySet":
        return self.filter(account_id=account_id)

    def of_person(self, name: str) -> "EventQuerySet":
        """What somebody did under their own name, and in sessions of roles that they took on under any other. Whoever
        took on a role has an event of it here, which tells the unique id even of a user who is gone."""
        took_on = self.filter(action="sts:AssumeRole", principal_type="user", principal_name__iexact=name)
        beginners = set(took_on.values_list("principal_id", flat=True))
        named = Q(principal_name__iexact=name) | Q(source_identity__iexact=name)
        return self.filter(named | Q(begun_by__in=beginners) if beginners else named)

    def that_made(self, access_key_id: str) -> "EventQuerySet":
        """Those that made a temporary key."""
        return self.alias(made_key=MADE_KEY).filter(detail__has_key="made_key", made_key=access_key_id)


class Event(models.Model):
    """One thing that somebody did or tried. Plain strings, no foreign keys: what is deleted stays readable here.

    `id` gives the order and counts over all accounts, so people only ever see `event_id`.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(default=clock.now)
    account_id = models.CharField(max_length=12)
    action = models.CharField(max_length=128)
    resource = models.CharField(max_length=2048, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.SUCCESS)
    error_code = models.CharField(max_length=128, blank=True)
    principal_arn = models.CharField(max_length=2048, blank=True)
    principal_type = models.CharField(max_length=16)
    principal_id = models.CharField(max_length=193, blank=True)
    principal_name = models.CharField(max_length=128, blank=True)
    # The unique id of the user who took on the role, or the first of several in a row; sessions may be called anything.
    begun_by = models.CharField(max_length=128, blank=True, default="")
    source_identity = models.CharField(max_length=64, blank=True)
    access_key_id = models.CharField(max_length=128, blank=True)
    door = models.CharField(max_length=8)
    address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=256, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    session_id = models.CharField(max_length=36, blank=True)
    detail = models.JSONField(default=dict)
    explanation = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["account_id", "-id"], name="event_by_order"),
            models.Index(fields=["account_id", "at"], name="event_by_time"),
            models.Index(fields=["account_id", "principal_name", "-id"], name="event_by_person"),
            models.Index(fields=["account_id", "action", "-id"], name="event_by_action"),
            models.Index(
                fields=["account_id", "access_key_id", "-id"], name="event_by_key", condition=~Q(access_key_id="")
            ),
            models.Index(fields=["account_id", "begun_by", "-id"], name="event_by_beginner", condition=~Q(begun_by="")),
            models.Index("account_id", MADE_KEY, name="event_by_made_key", condition=Q(detail__has_key="made_key")),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.principal_arn or 'anonymous'} {self.action} {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Audit events are append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise TypeError("Audit events are append-only; they are removed only with their whole account.")

    @property
    def own_resource(self) -> str:
        """What it is about, without what the ARNs of an account's own identities all begin with."""
        return self.resource.removeprefix(f"arn:aws:iam::{self.account_id}:")

    @property
    def role_name(self) -> str:
        """The role that whoever did it had taken on; empty for all others. Sessions may be called like anybody."""
        _, _, session = self.principal_arn.partition(":assumed-role/")
        return session.partition("/")[0]
