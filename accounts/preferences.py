"""What an account prefers: the version of its session tokens, and the properties that switch features."""

from collections.abc import Mapping

from django.db import transaction

from accounts.models import Account
from audit.errors import InvalidInput, ValidationError
from audit.principal import Principal
from audit.services import record

TOKEN_VERSIONS = {"v1Token": 1, "v2Token": 2}

# The properties that AWS has, with their values; the first is what counts where none was set.
PROPERTIES = {"RoleManager/Enabled": ("false", "true")}


@transaction.atomic
def set_security_token_service_preferences(*, by: Principal, token_version: str) -> Account:
    """Choose the version of session tokens of the global endpoint. Raises ValidationError."""
    if token_version not in TOKEN_VERSIONS:
        raise ValidationError(f"“{token_version[:40]}” is no version of session tokens: use v1Token or v2Token.")
    account = Account.objects.select_for_update().get(pk=by.account_id)
    before, account.token_version = account.token_version, TOKEN_VERSIONS[token_version]
    account.save(update_fields=["token_version"])
    name = "iam:SetSecurityTokenServicePreferences"
    record(by, name, account.root_arn, before=before, after=account.token_version)
    return account


def get_account_properties(account: Account) -> dict[str, str]:
    """Every property there is, as it was set or by its default."""
    return {name: account.properties.get(name, values[0]) for name, values in PROPERTIES.items()}


@transaction.atomic
def put_account_properties(*, by: Principal, properties: Mapping[str, str]) -> Account:
    """Set properties, all of one namespace. Raises InvalidInput."""
    namespaces = {_namespace(name) for name in properties}
    if len(namespaces) != 1:
        raise InvalidInput("Properties must hold at least one property, and all must belong to the same namespace.")
    for name, value in properties.items():
        _check(name, value)
    account = Account.objects.select_for_update().get(pk=by.account_id)
    before = get_account_properties(account)
    account.properties = {**account.properties, **properties}
    account.save(update_fields=["properties"])
    record(by, "iam:PutAccountProperties", account.root_arn, before=before, after=get_account_properties(account))
    return account


def _namespace(name: str) -> str:
    namespace, _, rest = name.partition("/")
    if not namespace or not rest or "/" in rest:
        raise InvalidInput(f"“{name}” is no property: its form is Namespace/PropertyName.")
    return namespace


def _check(name: str, value: str) -> None:
    if name not in PROPERTIES:
        raise InvalidInput(f"There is no property {name}.")
    if value not in PROPERTIES[name]:
        raise InvalidInput(f"“{value[:80]}” is no value of {name}: use {' or '.join(sorted(PROPERTIES[name]))}.")
