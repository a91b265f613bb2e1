from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q

from accounts.models import Account
from accounts.tags import Tag
from audit import clock
from audit.principal import root_arn
from database.rows import PlainRow
from identities.models.users import User


class LoginProfile(AbstractBaseUser):
    """A user's console password. No row: the user can't sign in to the console."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="login_profile")
    password_reset_required = models.BooleanField(default=False)
    password_changed_at = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now)
    last_login = None

    USERNAME_FIELD = "user_id"

    def __str__(self) -> str:
        return f"login profile of user {self.user_id}"


class PasswordHistory(models.Model):
    """Hashes of earlier passwords, kept only as far back as reuse prevention can ask (24)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="password_history")
    password = models.CharField(max_length=128)
    retired_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"earlier password of user {self.user_id}"


class KeyStatus(models.TextChoices):
    ACTIVE = "Active"
    INACTIVE = "Inactive"


class AccessKey(PlainRow):
    """A long-term key of a user, or of the account's root user where `user` is empty. The slot (1 or 2) is the limit:
    no race makes a third key. The secret is encrypted, since checking a signature needs it back."""

    access_key_id = models.CharField(primary_key=True, max_length=20)
    account = models.ForeignKey(Account, models.CASCADE, related_name="access_keys")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="access_keys")
    slot = models.PositiveSmallIntegerField()
    secret_encrypted = models.CharField(max_length=255)
    status = models.CharField(max_length=8, choices=KeyStatus.choices, default=KeyStatus.ACTIVE)
    created_at = models.DateTimeField(default=clock.now)
    status_changed_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_service = models.CharField(max_length=64, blank=True)
    last_used_region = models.CharField(max_length=64, blank=True)
    last_used_address = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "slot"], condition=Q(user__isnull=False), name="two_access_keys_per_user"
            ),
            models.UniqueConstraint(
                fields=["account", "slot"], condition=Q(user__isnull=True), name="two_access_keys_for_root"
            ),
        )

    def __str__(self) -> str:
        return self.access_key_id

    @property
    def is_active(self) -> bool:
        return self.status == KeyStatus.ACTIVE

    @property
    def sealed_row(self) -> str:
        """The row name that the sealed secret is bound to."""
        return f"access-key:{self.access_key_id}"

    @property
    def owner_name(self) -> str:
        return self.user.name if self.user else "root user"


class MFADevice(models.Model):
    """A virtual (TOTP) device of a user, or of root where `user` is empty. `enabled_at` is empty until two codes
    proved it, and until then it may be nobody's: a program makes a device first and says whose it is later. Only an
    enabled device holds one of the eight slots. `last_counter` makes a code work once."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="mfa_devices")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="mfa_devices")
    name = models.CharField(max_length=226)
    path = models.CharField(max_length=512, default="/")
    seed_encrypted = models.CharField(max_length=255)
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    drift = models.SmallIntegerField(default=0)
    last_counter = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    enabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "path", "name"], name="mfa_device_name_unique_in_account"),
            models.UniqueConstraint(
                fields=["user", "slot"], condition=Q(user__isnull=False), name="mfa_devices_of_user_limited_by_slot"
            ),
            models.UniqueConstraint(
                fields=["account", "slot"], condition=Q(user__isnull=True), name="mfa_devices_of_root_limited_by_slot"
            ),
        )

    def __str__(self) -> str:
        return self.serial_number

    @property
    def serial_number(self) -> str:
        return f"arn:aws:iam::{self.account_id}:mfa{self.path}{self.name}"

    @property
    def arn(self) -> str:
        return self.serial_number

    @property
    def address(self) -> str:
        """How pages name it in their address: path and name without the first slash."""
        return f"{self.path}{self.name}"[1:]

    @property
    def sealed_row(self) -> str:
        """The row name that the sealed seed is bound to."""
        return f"mfa-device:{self.serial_number}"

    @property
    def owner_arn(self) -> str:
        return self.user.arn if self.user else root_arn(self.account_id)


class MFADeviceTag(Tag):
    bearer = models.ForeignKey(MFADevice, models.CASCADE, related_name="tags")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["bearer", "key"], name="mfa_device_tag_key_unique"),)
