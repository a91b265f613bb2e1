from django.db import models
from django.db.models.functions import Lower

from accounts.models import Account
from audit import clock
from identities.models.users import User
from policies.models import Document, ManagedPolicy


class Group(models.Model):
    """A collection of users that carries policies. No identity: it can't sign in and can't be a principal."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="groups")
    name = models.CharField(max_length=128)
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=128), db_persist=True
    )
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=21, unique=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "name_key"], name="group_name_unique_in_account"),)
        indexes = (models.Index(fields=["account", "created_at"], name="group_by_age"),)

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return group_arn(self.account_id, self.path, self.name)


def group_arn(account_id: str, path: str, name: str) -> str:
    return f"arn:aws:iam::{account_id}:group{path}{name}"


class Membership(models.Model):
    """A user in a group. The slot (1 to 10) keeps a user's number of groups within the quota under any race."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships")
    slot = models.PositiveSmallIntegerField()
    joined_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "group"], name="user_once_in_group"),
            models.UniqueConstraint(fields=["user", "slot"], name="memberships_limited_by_slot"),
        )

    def __str__(self) -> str:
        return f"user {self.user_id} in group {self.group_id}"


class GroupAttachment(models.Model):
    """A managed policy attached to a group. PROTECT: a policy in use can't be deleted, whoever asks."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="attachments")
    policy = models.ForeignKey(ManagedPolicy, models.PROTECT, related_name="group_attachments")
    slot = models.PositiveSmallIntegerField()
    attached_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["group", "policy"], name="policy_attached_once_to_group"),
            models.UniqueConstraint(fields=["group", "slot"], name="group_attachments_limited_by_slot"),
        )

    def __str__(self) -> str:
        return f"{self.policy_id} on group {self.group_id}"


class GroupInlinePolicy(Document):
    group = models.ForeignKey(Group, models.CASCADE, related_name="inline_policies")
    name = models.CharField(max_length=128)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["group", "name"], name="group_inline_policy_name_unique"),)

    def __str__(self) -> str:
        return f"{self.name} in group {self.group_id}"
