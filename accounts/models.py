from django.contrib.auth.base_user import AbstractBaseUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts import quotas
from audit import clock
from audit.principal import root_arn
from database.rows import PlainRow


class Account(PlainRow):
    """A tenant, never a person. Its 12-digit id is the key: every row below carries it, and no ARN needs a join."""

    id = models.CharField(primary_key=True, max_length=12)
    name = models.CharField(max_length=50)
    alias = models.CharField(max_length=63, unique=True, null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    quota_overrides = models.JSONField(default=dict, blank=True)
    token_version = models.PositiveSmallIntegerField(default=1)
    properties = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(id__regex=r"^[0-9]{12}$"), name="account_id_has_12_digits"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"

    @property
    def root_arn(self) -> str:
        return root_arn(self.id)

    @property
    def sign_in_name(self) -> str:
        """What people type on the sign-in page."""
        return self.alias or self.id

    def quota(self, name: str) -> int:
        """A quota of `accounts.quotas`, with what was raised for this account."""
        return int(self.quota_overrides.get(name, quotas.default(name)))


class RootUser(AbstractBaseUser):
    """The account's owner. Not an IAM user: no name, no groups, no policies; found by e-mail alone."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="root_user")
    email = models.EmailField(max_length=254)
    email_key = models.CharField(max_length=254, unique=True)
    password_changed_at = models.DateTimeField(default=clock.now)
    password_last_used_at = models.DateTimeField(null=True, blank=True)
    mfa_demand_dismissed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    last_login = None

    USERNAME_FIELD = "email_key"

    def __str__(self) -> str:
        return f"root user of {self.account_id}"

    @property
    def arn(self) -> str:
        return root_arn(self.account_id)


class PasswordPolicy(models.Model):
    """The account's password policy (UpdateAccountPasswordPolicy). No row: AWS's built-in default applies."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="password_policy")
    minimum_password_length = models.PositiveSmallIntegerField(
        default=6, validators=[MinValueValidator(6), MaxValueValidator(128)]
    )
    require_symbols = models.BooleanField(default=False)
    require_numbers = models.BooleanField(default=False)
    require_uppercase_characters = models.BooleanField(default=False)
    require_lowercase_characters = models.BooleanField(default=False)
    allow_users_to_change_password = models.BooleanField(default=False)
    max_password_age = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(1095)])
    password_reuse_prevention = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(24)])
    hard_expiry = models.BooleanField(default=False)
    updated_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"password policy of {self.account_id}"
