import uuid

from django.db import models
from django.db.models import Q

from accounts.models import Account
from audit import clock
from federation import start_paths


class EncryptionMode(models.TextChoices):
    """Whether assertions have to be encrypted, or may be."""

    REQUIRED = "Required"
    ALLOWED = "Allowed"


class SAMLProvider(models.Model):
    """An outside SAML 2.0 identity provider of an account. What its metadata says stands in columns, so that nobody
    parses it again: `certificates` are the only keys that its signatures are ever checked with (base64 DER)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="saml_providers")
    name = models.CharField(max_length=128)
    unique_id = models.CharField(max_length=32, unique=True)
    metadata_document = models.TextField()
    entity_id = models.CharField(max_length=1024)
    single_sign_on_url = models.CharField(max_length=2048, blank=True)
    certificates = models.JSONField(default=list)
    valid_until = models.DateTimeField()
    encryption_mode = models.CharField(max_length=8, choices=EncryptionMode.choices, blank=True)
    starts_sign_in = models.BooleanField(default=False)
    disabled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="saml_provider_name_unique"),)

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return saml_provider_arn(self.account_id, self.name)

    @property
    def start_path(self) -> str:
        """Where its people begin, and sign in again."""
        return start_paths.start_path(start_paths.SAML, self.account_id, self.name)


def saml_provider_arn(account_id: str, name: str) -> str:
    return f"arn:aws:iam::{account_id}:saml-provider/{name}"


class SAMLPrivateKey(models.Model):
    """A key of ours that a provider encrypts assertions for; at most two, so that one can take over from the other."""

    key_id = models.CharField(primary_key=True, max_length=32)
    provider = models.ForeignKey(SAMLProvider, models.CASCADE, related_name="private_keys")
    slot = models.PositiveSmallIntegerField()
    key_encrypted = models.TextField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "slot"], name="two_private_keys_per_saml_provider"),)

    def __str__(self) -> str:
        return self.key_id

    @property
    def sealed_row(self) -> str:
        """The row name that the sealed key is bound to."""
        return f"saml-private-key:{self.key_id}"


class SAMLProviderTag(models.Model):
    """Keys of these tags are compared exactly (id_tags)."""

    provider = models.ForeignKey(SAMLProvider, models.CASCADE, related_name="tags")
    key = models.CharField(max_length=128)
    value = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "key"], name="saml_provider_tag_key_unique"),)

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class OIDCProvider(models.Model):
    """An outside OpenID Connect provider of an account. `url` is the issuer without its scheme, compared exactly: so
    it stands in the ARN and in the names of its condition keys."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="oidc_providers")
    url = models.CharField(max_length=255)
    issuer = models.CharField(max_length=263)
    thumbprints = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "url"], name="oidc_provider_url_unique"),)

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return oidc_provider_arn(self.account_id, self.url)

    @property
    def start_path(self) -> str:
        """Where its people begin, and sign in again."""
        return start_paths.start_path(start_paths.OIDC, self.account_id, self.url)


def oidc_provider_arn(account_id: str, url: str) -> str:
    return f"arn:aws:iam::{account_id}:oidc-provider/{url}"


class OIDCClientId(models.Model):
    """An audience that tokens of the provider may be made for. The one that this console is to the provider also holds
    how people come into the console: with it that sign-in goes. Listed, the account's sign-in page tells everybody that
    the provider is there. All others have no scopes."""

    provider = models.ForeignKey(OIDCProvider, models.CASCADE, related_name="client_ids")
    client_id = models.CharField(max_length=255)
    slot = models.PositiveSmallIntegerField()
    secret_encrypted = models.TextField(blank=True)
    scopes = models.CharField(max_length=255, blank=True)
    is_enabled = models.BooleanField(default=False)
    is_listed = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["provider", "client_id"], name="oidc_client_id_once_per_provider"),
            models.UniqueConstraint(fields=["provider", "slot"], name="oidc_client_ids_limited_by_slot"),
            models.UniqueConstraint(
                fields=["provider"], condition=~Q(scopes=""), name="one_console_sign_in_per_oidc_provider"
            ),
        )

    def __str__(self) -> str:
        return self.client_id

    @property
    def sealed_row(self) -> str:
        """The row name that the sealed secret is bound to; a client without a secret has sealed an empty one."""
        return f"oidc-client-secret:{self.provider_id}"


class OIDCProviderTag(models.Model):
    """Keys of these tags are compared exactly (id_tags)."""

    provider = models.ForeignKey(OIDCProvider, models.CASCADE, related_name="tags")
    key = models.CharField(max_length=128)
    value = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "key"], name="oidc_provider_tag_key_unique"),)

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class UsedOnce(models.Model):
    """Something that was used and must not be used again before its time is over anyway."""

    digest = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.digest


class TokenIssuer(models.Model):
    """The account as an issuer of tokens for services elsewhere. Its address stays the same when it is switched off
    and on again; it names nobody."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="token_issuer")
    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return str(self.public_id)


class TokenSigningKey(models.Model):
    """A key that the account's tokens are signed with. A retired one is still published, until no token made with it
    can be good any more."""

    key_id = models.CharField(primary_key=True, max_length=32)
    issuer = models.ForeignKey(TokenIssuer, models.CASCADE, related_name="keys")
    algorithm = models.CharField(max_length=5)
    key_encrypted = models.TextField()
    public_jwk = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["issuer", "algorithm"], condition=Q(retired_at=None), name="one_signing_key_in_use"
            ),
        )

    def __str__(self) -> str:
        return self.key_id

    @property
    def sealed_row(self) -> str:
        """The row name that the sealed key is bound to."""
        return f"token-signing-key:{self.key_id}"
