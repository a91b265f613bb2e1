import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Account
from audit import clock
from identities.models import User


class SessionKind(models.TextChoices):
    ROOT = "root"
    USER = "user"
    FEDERATED = "federated"


class ConsoleSession(models.Model):
    """A signed-in browser. The cookie's token is stored only as a hash; deleting the row ends the session at once.
    It holds facts, no data: who, since when, how strongly, until when.

    Who came from outside (`FEDERATED`) has no row of their own: they are who their temporary credentials say, `own_…`.
    Whoever has switched to a role acts by `acting_…` until then. Both are sealed tokens, without the secret that a
    program would need beside them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(Account, models.CASCADE, related_name="console_sessions")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="console_sessions")
    kind = models.CharField(max_length=9, choices=SessionKind.choices)
    own_key_id = models.CharField(max_length=128, blank=True)
    own_token = models.TextField(blank=True)
    # Where somebody from outside signs in again.
    came_from = models.CharField(max_length=2000, blank=True)
    acting_key_id = models.CharField(max_length=128, blank=True)
    acting_token = models.TextField(blank=True)
    acting_as = models.CharField(max_length=64, blank=True)
    acting_color = models.CharField(max_length=6, blank=True)
    # Bound to the password that opened it: a new password ends every session made with the old one.
    password_binding = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    authenticated_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    mfa_at = models.DateTimeField(null=True, blank=True)
    address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=256, blank=True)

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="session_by_expiry"),)
        constraints = (
            # Nobody without a user is taken for root by mistake.
            models.CheckConstraint(
                name="console_session_is_of_its_kind",
                condition=Q(kind=SessionKind.ROOT, user=None, own_token="")
                | Q(kind=SessionKind.USER, user__isnull=False, own_token="")
                | (Q(kind=SessionKind.FEDERATED, user=None) & ~Q(own_token="")),
            ),
        )

    def __str__(self) -> str:
        return f"session {self.id} of {self.kind} in {self.account_id}"

    @property
    def is_root(self) -> bool:
        return self.kind == SessionKind.ROOT

    @property
    def is_federated(self) -> bool:
        return self.kind == SessionKind.FEDERATED

    @property
    def is_switched(self) -> bool:
        return bool(self.acting_token)


class RecentRole(models.Model):
    """A role that a user has switched to; the console offers the last five again."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recent_roles")
    account_name = models.CharField(max_length=63)
    role_name = models.CharField(max_length=576)
    display_name = models.CharField(max_length=64, blank=True)
    color = models.CharField(max_length=6, blank=True)
    used_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "account_name", "role_name"], name="recent_role_once_per_user"),
        )

    def __str__(self) -> str:
        return f"{self.role_name} @ {self.account_name}"


class TokenPurpose(models.TextChoices):
    SET_UP = "set-up"
    ROOT_PASSWORD_RESET = "root-password-reset"  # noqa: S105 # the name of a purpose


class OneTimeToken(models.Model):
    """A link that works once, for one purpose, for one hour. Hashed; `binding` ties it to the state it was made in."""

    token_hash = models.CharField(primary_key=True, max_length=64)
    purpose = models.CharField(max_length=32, choices=TokenPurpose.choices)
    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, related_name="one_time_tokens")
    binding = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.purpose} until {self.expires_at:%Y-%m-%dT%H:%M:%SZ}"


class SigninToken(models.Model):
    """What a company's own identity broker was given for temporary credentials, good for one sign-in. Hashed; what it
    opens is the credentials' sealed token, without the secret that a program would need beside it."""

    token_hash = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    access_key_id = models.CharField(max_length=128)
    session_token = models.TextField(blank=True)
    # How long the console session shall last; nothing: as long as the credentials.
    seconds = models.PositiveIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="signin_token_by_expiry"),)

    def __str__(self) -> str:
        return f"sign-in by {self.access_key_id} until {self.expires_at:%Y-%m-%dT%H:%M:%SZ}"


class SignInStep(models.TextChoices):
    PASSWORD = "password"  # noqa: S105 # the name of a step
    SECOND_FACTOR = "second-factor"
    NEW_PASSWORD = "new-password"  # noqa: S105 # the name of a step


class SignInAttempt(models.Model):
    """A sign-in that is under way: not a session. Who it is for is fixed at the first step and kept here, on the
    server; the browser holds only a token. An attempt for nobody (`account` empty) looks the same from outside."""

    token_hash = models.CharField(primary_key=True, max_length=64)
    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+")
    is_root = models.BooleanField()
    shown_name = models.CharField(max_length=254, blank=True)
    step = models.CharField(max_length=16, choices=SignInStep.choices)
    password_binding = models.CharField(max_length=64, blank=True)
    mfa_at = models.DateTimeField(null=True, blank=True)
    next_url = models.CharField(max_length=2000, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="attempt_by_expiry"),)

    def __str__(self) -> str:
        return f"sign-in at {self.step}"


class Throttle(models.Model):
    """Failures within a window, by a hashed key of what is limited (an account and user, an address, everything)."""

    key = models.CharField(primary_key=True, max_length=64)
    window_started_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.failures} failures since {self.window_started_at:%Y-%m-%dT%H:%M:%SZ}"


def route_table_arn(account_id: str, name: str) -> str:
    return f"arn:aws:iamconsole::{account_id}:route-table/{name}"


class RouteTable(models.Model):
    """What the requests to a service of somebody's own ask for: read by `access.routes`, one route per line. A proxy in
    front of the service proves whose table it asks by a token, which is stored only as a hash."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="route_tables")
    name = models.CharField(max_length=64)
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=64), db_persist=True
    )
    signing_name = models.CharField(max_length=64)
    routes = models.TextField(blank=True)
    token_hash = models.CharField(max_length=64, unique=True, null=True, blank=True)
    token_made_at = models.DateTimeField(null=True, blank=True)
    slot = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "name_key"], name="route_table_name_unique_in_account"),
            models.UniqueConstraint(fields=["account", "slot"], name="route_tables_limited_by_slot"),
        )

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return route_table_arn(self.account_id, self.name)


class ActionUse(models.Model):
    """When somebody last tried an action, allowed or not: what "last accessed" reports are made of. Plain strings, as
    in the audit trail; `principal_id` is the unique id of a user, of the role behind a session, or root's account."""

    account_id = models.CharField(max_length=12)
    principal_id = models.CharField(max_length=21)
    action = models.CharField(max_length=128)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account_id", "principal_id", "action"], name="one_use_per_action"),
        )

    def __str__(self) -> str:
        return f"{self.principal_id} {self.action} {self.at:%Y-%m-%dT%H:%M:%SZ}"


class AccessReport(models.Model):
    """A finished "service last accessed" report, for whoever asked for it and nobody else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, models.CASCADE, related_name="access_reports")
    asked_by = models.CharField(max_length=193)
    arn = models.CharField(max_length=2048)
    granularity = models.CharField(max_length=16)
    services = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"services of {self.arn}"


class AcceptedFinding(models.Model):
    """A finding of the self-check that somebody accepted for a while. `key` names what was found by unique ids and, for
    a document, by its digest: a changed document is a finding again."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="accepted_findings")
    code = models.CharField(max_length=64)
    key = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500)
    until = models.DateTimeField()
    accepted_by = models.CharField(max_length=2048)
    accepted_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "code", "key"], name="finding_accepted_once"),)

    def __str__(self) -> str:
        return f"{self.code} accepted until {self.until:%Y-%m-%dT%H:%M:%SZ}"
