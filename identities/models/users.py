from datetime import datetime

from django.db import models
from django.db.models.functions import Lower

from accounts.models import Account
from audit import clock
from database.rows import PlainRow
from identities.models.lockdowns import Lockdown
from policies.models import Document, ManagedPolicy


class User(PlainRow):
    """An IAM user: a person or a service. Its credentials are rows of their own (`LoginProfile`, `AccessKey`, …).

    While there is a `lockdown`, none of them is any good. Console sessions and temporary credentials that are older
    than `sessions_valid_from` are over.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="users")
    name = models.CharField(max_length=64)
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=64), db_persist=True
    )
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=21, unique=True)
    boundary = models.ForeignKey(ManagedPolicy, models.PROTECT, null=True, blank=True, related_name="bounded_users")
    created_at = models.DateTimeField(default=clock.now)
    password_last_used_at = models.DateTimeField(null=True, blank=True)
    lockdown = models.OneToOneField(Lockdown, models.RESTRICT, null=True, blank=True, related_name="user")
    sessions_valid_from = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "name_key"], name="user_name_unique_in_account"),)
        indexes = (models.Index(fields=["account", "created_at"], name="user_by_age"),)

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return user_arn(self.account_id, self.path, self.name)

    @property
    def is_locked_down(self) -> bool:
        return self.lockdown_id is not None

    def ended(self, moment: datetime) -> bool:
        """Whether a session that began then, or temporary credentials issued then, are over for the user."""
        return self.is_locked_down or (self.sessions_valid_from is not None and moment < self.sessions_valid_from)


def user_arn(account_id: str, path: str, name: str) -> str:
    return f"arn:aws:iam::{account_id}:user{path}{name}"


class UserTag(models.Model):
    """Keys of user tags compare ignoring case and keep the case they were given (id_tags)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tags")
    key = models.CharField(max_length=128)
    key_folded = models.CharField(max_length=256, editable=False)
    value = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "key_folded"], name="user_tag_key_unique"),)

    def __str__(self) -> str:
        return f"{self.key}={self.value}"

    def save(self, *args: object, **kwargs: object) -> None:
        # Folded here, not by the database: SQLite lowers only ASCII, and tag keys may be in any script.
        self.key_folded = self.key.casefold()
        super().save(*args, **kwargs)  # type: ignore[arg-type] # passed on as given


class UserAttachment(models.Model):
    """A managed policy attached to a user. PROTECT: a policy in use can't be deleted, whoever asks."""

    user = models.ForeignKey(User, models.CASCADE, related_name="attachments")
    policy = models.ForeignKey(ManagedPolicy, models.PROTECT, related_name="user_attachments")
    slot = models.PositiveSmallIntegerField()
    attached_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "policy"], name="policy_attached_once_to_user"),
            models.UniqueConstraint(fields=["user", "slot"], name="user_attachments_limited_by_slot"),
        )

    def __str__(self) -> str:
        return f"{self.policy_id} on user {self.user_id}"


class UserInlinePolicy(Document):
    user = models.ForeignKey(User, models.CASCADE, related_name="inline_policies")
    name = models.CharField(max_length=128)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "name"], name="user_inline_policy_name_unique"),)

    def __str__(self) -> str:
        return f"{self.name} in user {self.user_id}"
