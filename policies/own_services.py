"""Services that an account protects with its own prefixes and actions: it registers them, so that validation, the
editor and the catalogue know them."""

from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction

from accounts.models import Account
from audit import clock
from audit.errors import EntityAlreadyExists, LimitExceeded, NoSuchEntity, ValidationError
from audit.principal import Principal
from audit.services import record
from policies.definitions import BadDefinition, Definition, check, prefix_problem, to_service
from policies.engine.catalog import BUILT_IN, Catalog
from policies.models import Document, RegisteredService, ValidationSettings

NAME_LIMIT = 100
_KINDS = {
    "policyversion": "versions of managed policies",
    "userinlinepolicy": "inline policies of users",
    "groupinlinepolicy": "inline policies of groups",
    "roleinlinepolicy": "inline policies of roles",
    "role": "trust policies of roles",
}


def catalog_of(account_id: str) -> Catalog:
    """The catalogue as an account sees it: with its own services."""
    own = RegisteredService.objects.filter(account_id=account_id).order_by("prefix")
    services = [to_service(each.prefix, each.name, each.definition) for each in own]
    return Catalog(services) if services else BUILT_IN


def warns_about_unknown_services(account_id: str) -> bool:
    found = ValidationSettings.objects.filter(account_id=account_id).first()
    return found is None or found.warn_about_unknown_services


@transaction.atomic
def update_validation_settings(*, by: Principal, warn_about_unknown_services: bool) -> None:
    """Choose whether validation warns about services that nobody registered."""
    before = warns_about_unknown_services(by.account_id)
    ValidationSettings.objects.update_or_create(
        account_id=by.account_id, defaults={"warn_about_unknown_services": warn_about_unknown_services}
    )
    record(
        by,
        "iamconsole:UpdateValidationSettings",
        "*",
        before={"warn_about_unknown_services": before},
        after={"warn_about_unknown_services": warn_about_unknown_services},
    )


@transaction.atomic
def create_service(*, by: Principal, prefix: str, name: str, definition: Definition) -> RegisteredService:
    """Register a service. Raises ValidationError, EntityAlreadyExists, LimitExceeded."""
    account = Account.objects.select_for_update().get(pk=by.account_id)
    if problem := prefix_problem(prefix):
        raise ValidationError(problem, field="service_prefix")
    _check(prefix, name, definition)
    if account.registered_services.filter(prefix=prefix).exists():
        raise _exists(prefix)
    service = RegisteredService(
        account=account, prefix=prefix, name=name, definition=definition, slot=_free_slot(account)
    )
    try:
        with transaction.atomic():
            service.save()
    except IntegrityError as error:
        raise _exists(prefix) from error
    record(by, "iamconsole:CreateService", service.arn, after=_facts(service))
    return service


@transaction.atomic
def update_service(*, by: Principal, service: RegisteredService, name: str, definition: Definition) -> None:
    """Change a service; its prefix stays. Raises ValidationError, NoSuchEntity."""
    service = _locked(service)
    _check(service.prefix, name, definition)
    before = _facts(service)
    service.name, service.definition, service.updated_at = name, definition, clock.now()
    service.save()
    record(by, "iamconsole:UpdateService", service.arn, before=before, after=_facts(service))


@transaction.atomic
def delete_service(*, by: Principal, service: RegisteredService) -> None:
    """Take a service out of the catalogue. Policies that name it stay as they are and go on deciding. Raises
    NoSuchEntity."""
    service = _locked(service)
    arn, before = service.arn, _facts(service)
    service.delete()
    record(by, "iamconsole:DeleteService", arn, before=before)


def uses_of_service(service: RegisteredService) -> dict[str, int]:
    """How many documents of the account name the service, by the kind of document."""
    counted = {}
    for model in apps.get_models():
        path = _path_to_account(model) if issubclass(model, Document) else ""
        if path:
            rows: Any = model._default_manager.filter(**{path: service.account_id})
            count = rows.filter(document__icontains=f'"{service.prefix}:').count()
            counted[_KINDS.get(str(model._meta.model_name), str(model._meta.verbose_name_plural))] = count
    return {kind: count for kind, count in counted.items() if count}


def _path_to_account(model: type[models.Model]) -> str:
    """From a document to the account it belongs to: its own column, or one of what bears it."""
    for field in model._meta.concrete_fields:
        if field.name == "account":
            return "account_id"
        related = field.related_model
        if isinstance(related, type) and any(each.name == "account" for each in related._meta.concrete_fields):
            return f"{field.name}__account_id"
    return ""


def _check(prefix: str, name: str, definition: Definition) -> None:
    if not name.strip() or len(name) > NAME_LIMIT or "\x00" in name:
        raise ValidationError(f"A name has 1 to {NAME_LIMIT} characters.", field="name")
    try:
        check(prefix, definition)
    except BadDefinition as error:
        raise ValidationError(str(error), field=error.field) from error


def _exists(prefix: str) -> EntityAlreadyExists:
    return EntityAlreadyExists(f"A service with the prefix {prefix} is registered already.", field="service_prefix")


def _free_slot(account: Account) -> int:
    """The lowest free place; the account is locked, and the constraint decides where a lock does not."""
    quota = account.quota("services")
    taken = set(account.registered_services.values_list("slot", flat=True))
    free = next((slot for slot in range(1, quota + 1) if slot not in taken), None)
    if free is None:
        raise LimitExceeded(f"Cannot exceed quota for ServicesPerAccount: {quota}")
    return free


def _locked(service: RegisteredService) -> RegisteredService:
    found = RegisteredService.objects.select_for_update().filter(pk=service.pk).first()
    if found is None:
        raise NoSuchEntity(f"The service {service.prefix} is not registered.")
    return found


def _facts(service: RegisteredService) -> dict[str, Any]:
    return {"prefix": service.prefix, "name": service.name, "definition": service.definition}
