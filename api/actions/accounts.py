import re

from accounts import services
from accounts.models import PasswordPolicy
from api import describe
from api.registry import Call, Result, action
from audit.errors import NoSuchEntity


@action("iam:CreateAccountAlias", resource="*")
def create_account_alias(call: Call) -> None:
    services.create_account_alias(by=call.principal, alias=call["AccountAlias"])


@action("iam:DeleteAccountAlias", resource="*")
def delete_account_alias(call: Call) -> None:
    services.delete_account_alias(by=call.principal, alias=call["AccountAlias"])


@action("iam:ListAccountAliases", resource="*")
def list_account_aliases(call: Call) -> Result:
    aliases = [call.account.alias] if call.account.alias else []
    page = call.page_of(aliases)
    return {"AccountAliases": page.items, **page.fields}


@action("iam:UpdateAccountPasswordPolicy", resource="*")
def update_account_password_policy(call: Call) -> None:
    """The service's fields are the operation's inputs in snake case; what is left out returns to its default."""
    fields = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in call.inputs.items()}
    services.update_account_password_policy(by=call.principal, **fields)


@action("iam:DeleteAccountPasswordPolicy", resource="*")
def delete_account_password_policy(call: Call) -> None:
    services.delete_account_password_policy(by=call.principal)


@action("iam:GetAccountPasswordPolicy", resource="*")
def get_account_password_policy(call: Call) -> Result:
    row = PasswordPolicy.objects.filter(account_id=call.account_id).first()
    if row is None:
        raise NoSuchEntity(f"The Password Policy with domain name {call.account_id} cannot be found.")
    return {"PasswordPolicy": describe.password_policy(row)}
