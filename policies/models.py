import hashlib
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Account
from accounts.tags import Tag
from audit import clock

AWS = "aws"


def document_digest(text: str) -> str:
    """The name under which a document is compiled and cached."""
    return hashlib.sha256(text.encode()).hexdigest()


class DigestField(models.CharField):  # type: ignore[type-arg] # the stubs' two parameters say nothing here
    """The digest of the row's document, worked out whenever the row is written, also in bulk."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        digest = document_digest(model_instance.document)  # type: ignore[attr-defined] # only Document has this field
        setattr(model_instance, self.attname, digest)
        return digest


Row = TypeVar("Row", bound="Document")


class DocumentQuerySet(models.QuerySet[Row]):
    def update(self, **kwargs: Any) -> int:
        if "document" in kwargs:
            kwargs["digest"] = document_digest(kwargs["document"])
        return super().update(**kwargs)


class Document(models.Model):
    """A policy document as it was given, with its digest. Base of everything that holds one.

    The gate knows compiled documents by digest, so a digest that does not follow its document would let a withdrawn
    permission live on: no way of writing one without the other is left.
    """

    document = models.TextField()
    digest = DigestField(max_length=64, editable=False, db_index=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        changed = kwargs.get("update_fields")
        if changed is not None and "document" in changed:
            kwargs["update_fields"] = {*changed, "digest"}
        super().save(*args, **kwargs)


class ManagedPolicyQuerySet(models.QuerySet["ManagedPolicy"]):
    def visible_to(self, account_id: str) -> "ManagedPolicyQuerySet":
        """The account's own policies and the built-in ones."""
        return self.filter(Q(account_id=account_id) | Q(account_id=None))

    def with_arn(self, arn: str) -> "ManagedPolicyQuerySet":
        """The one of that ARN, which is compared exactly."""
        scope, _, place = arn.removeprefix("arn:aws:iam::").partition(":policy")
        path, slash, name = place.rpartition("/")
        account_id = None if scope == AWS else scope
        if policy_arn(account_id, path + slash, name) != arn:
            return self.none()
        return self.filter(account_id=account_id, path=path + slash, name=name, name_key=name.lower())


class ManagedPolicy(models.Model):
    """A policy with an ARN of its own. Without an account it is built in (`arn:aws:iam::aws:policy/…`)."""

    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, related_name="managed_policies")
    name = models.CharField(max_length=128)
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=128), db_persist=True
    )
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=21, unique=True)
    description = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)
    newest_version = models.PositiveIntegerField(default=0)

    objects = ManagedPolicyQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "name_key"], name="policy_name_unique_in_account"),
            models.UniqueConstraint(fields=["name_key"], condition=Q(account=None), name="built_in_policy_name_unique"),
        )

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return policy_arn(self.account_id, self.path, self.name)

    @property
    def is_built_in(self) -> bool:
        return self.account_id is None

    @property
    def scope(self) -> str:
        """The part of the page address that tells built-in and own policies of the same name apart."""
        return AWS if self.account_id is None else "own"


def policy_arn(account_id: str | None, path: str, name: str) -> str:
    return f"arn:aws:iam::{account_id or AWS}:policy{path}{name}"


class PolicyTag(Tag):
    bearer = models.ForeignKey(ManagedPolicy, models.CASCADE, related_name="tags")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["bearer", "key"], name="policy_tag_key_unique"),)


class PolicyVersion(Document):
    """One of at most five texts of a managed policy. Numbers are never reused; exactly one version is the default."""

    policy = models.ForeignKey(ManagedPolicy, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    slot = models.PositiveSmallIntegerField()
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["policy", "number"], name="policy_version_number_unique"),
            models.UniqueConstraint(fields=["policy", "slot"], name="policy_versions_limited_by_slot"),
            models.UniqueConstraint(
                fields=["policy"], condition=Q(is_default=True), name="one_default_version_per_policy"
            ),
        )

    def __str__(self) -> str:
        return f"{self.policy_id} {self.version_id}"

    @property
    def version_id(self) -> str:
        return f"v{self.number}"


class RegisteredService(models.Model):
    """A service that an account protects with its own prefix. `definition` holds its actions, kinds of resources and
    condition keys, as `policies.definitions` reads them; it is only ever read and written as a whole."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="registered_services")
    prefix = models.CharField(max_length=63)
    name = models.CharField(max_length=100)
    definition = models.JSONField()
    slot = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "prefix"], name="service_prefix_unique_in_account"),
            models.UniqueConstraint(fields=["account", "slot"], name="services_limited_by_slot"),
        )

    def __str__(self) -> str:
        return self.arn

    @property
    def arn(self) -> str:
        return service_arn(self.account_id, self.prefix)


def service_arn(account_id: str, prefix: str) -> str:
    return f"arn:aws:iamconsole::{account_id}:service/{prefix}"


class ValidationSettings(models.Model):
    """What an account wants to be told about the documents it writes. No row: everything."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="validation_settings")
    warn_about_unknown_services = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"validation settings of {self.account_id}"
