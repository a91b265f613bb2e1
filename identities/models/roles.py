from django.db import models
from django.db.models.functions import Lower

from accounts.models import Account
from audit import clock
from policies.models import Document, ManagedPolicy

SERVICE_LINKED_PATH = "/aws-service-role/"


class Role(Document):
    """An identity without credentials, taken on for a while by whom its trust policy lets in. `document` is the trust
    policy; it names users and roles by unique id (`services.trust`), so that a new one of an old name is not let in."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="roles")
    name = models.CharField(max_length=64)
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=64), db_persist=True
    )
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=21, unique=True)
    description = models.CharField(max_length=1000, blank=True)
    max_session_seconds = models.PositiveIntegerField(default=3600)
    boundary = models.ForeignKey(ManagedPolicy, models.PROTECT, null=True, blank=True, related_name="bounded_roles")
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_region = models.CharField(max_length=64, blank=True)
    # The trust policy with names, as of a new role it is known at once.
    shown_document = ""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "name_key"], name="role_name_unique_in_account"),
            models.CheckConstraint(
                condition=models.Q(max_session_seconds__range=(3600, 43200)), name="role_session_between_1_and_12_hours"
            ),
        )
        indexes = (models.Index(fields=["account", "created_at"], name="role_by_age"),)

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return role_arn(self.account_id, self.path, self.name)

    @property
    def is_service_linked(self) -> bool:
        """Made for one service, which alone decides what it is: nobody else changes it."""
        return self.path.startswith(SERVICE_LINKED_PATH)

    @property
    def service(self) -> str:
        """The service of a service-linked role; '' for others."""
        return self.path.removeprefix(SERVICE_LINKED_PATH).strip("/") if self.is_service_linked else ""


def role_arn(account_id: str, path: str, name: str) -> str:
    return f"arn:aws:iam::{account_id}:role{path}{name}"


class RoleTag(models.Model):
    """Keys of role tags compare ignoring case and keep the case they were given (id_tags)."""

    role = models.ForeignKey(Role, models.CASCADE, related_name="tags")
    key = models.CharField(max_length=128)
    key_folded = models.CharField(max_length=256, editable=False)
    value = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["role", "key_folded"], name="role_tag_key_unique"),)

    def __str__(self) -> str:
        return f"{self.key}={self.value}"

    def save(self, *args: object, **kwargs: object) -> None:
        # Folded here, not by the database: SQLite lowers only ASCII, and tag keys may be in any script.
        self.key_folded = self.key.casefold()
        super().save(*args, **kwargs)  # type: ignore[arg-type] # passed on as given


class RoleAttachment(models.Model):
    """A managed policy attached to a role. PROTECT: a policy in use can't be deleted, whoever asks."""

    role = models.ForeignKey(Role, models.CASCADE, related_name="attachments")
    policy = models.ForeignKey(ManagedPolicy, models.PROTECT, related_name="role_attachments")
    slot = models.PositiveSmallIntegerField()
    attached_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["role", "policy"], name="policy_attached_once_to_role"),
            models.UniqueConstraint(fields=["role", "slot"], name="role_attachments_limited_by_slot"),
        )

    def __str__(self) -> str:
        return f"{self.policy_id} on role {self.role_id}"


class RoleInlinePolicy(Document):
    role = models.ForeignKey(Role, models.CASCADE, related_name="inline_policies")
    name = models.CharField(max_length=128)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["role", "name"], name="role_inline_policy_name_unique"),)

    def __str__(self) -> str:
        return f"{self.name} in role {self.role_id}"


class ServiceLinkedRoleDeletion(models.Model):
    """What GetServiceLinkedRoleDeletionStatus tells of one deletion. The role may be gone, so it is named by text."""

    task_id = models.CharField(primary_key=True, max_length=255)
    account = models.ForeignKey(Account, models.CASCADE, related_name="service_linked_role_deletions")
    role_arn = models.CharField(max_length=700)
    reason = models.CharField(max_length=1000, blank=True)
    asked_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.task_id

    @property
    def status(self) -> str:
        return "FAILED" if self.reason else "SUCCEEDED"


class InstanceProfile(models.Model):
    """What a machine is given: it holds one role. PROTECT: a role in a profile is not deleted under a machine."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="instance_profiles")
    name = models.CharField(max_length=128)
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=128), db_persist=True
    )
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=21, unique=True)
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, related_name="instance_profiles")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "name_key"], name="instance_profile_name_unique_in_account"),
        )

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return instance_profile_arn(self.account_id, self.path, self.name)


def instance_profile_arn(account_id: str, path: str, name: str) -> str:
    return f"arn:aws:iam::{account_id}:instance-profile{path}{name}"


class InstanceProfileTag(models.Model):
    """Keys of these tags are case-sensitive, as of everything but users and roles (id_tags)."""

    instance_profile = models.ForeignKey(InstanceProfile, models.CASCADE, related_name="tags")
    key = models.CharField(max_length=128)
    value = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["instance_profile", "key"], name="instance_profile_tag_key_unique"),
        )

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
