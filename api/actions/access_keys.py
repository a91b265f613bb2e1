from django.db.models import QuerySet

from api import describe
from api.registry import Call, Result, action
from api.targets import found_user, owner_of_key, user
from audit.errors import NoSuchEntity
from identities.models import AccessKey
from identities.services import access_keys


def keys_of_target(call: Call) -> QuerySet[AccessKey]:
    """The keys of the named user, or of the caller; root's own have no user."""
    keys = AccessKey.objects.filter(account_id=call.account_id).select_related("user", "account__root_user")
    if call.is_about_root:
        return keys.filter(user=None)
    return keys.filter(user=found_user(call))


def found_key(call: Call) -> AccessKey:
    """The key that AccessKeyId names, if it is the target's own. Raises NoSuchEntity."""
    row = keys_of_target(call).filter(pk=call["AccessKeyId"]).first()
    if row is None:
        raise no_such_key(call)
    return row


def no_such_key(call: Call) -> NoSuchEntity:
    return NoSuchEntity(f"The Access Key with id {call['AccessKeyId']} cannot be found.")


@action("iam:CreateAccessKey", resource=user)
def create_access_key(call: Call) -> Result:
    owner = None if call.is_about_root else found_user(call)
    row, secret = access_keys.create_access_key(by=call.principal, user=owner)
    return {"AccessKey": {**describe.access_key(row), "SecretAccessKey": secret}}


@action("iam:UpdateAccessKey", resource=user)
def update_access_key(call: Call) -> None:
    access_keys.update_access_key(by=call.principal, key=found_key(call), status=call["Status"])


@action("iam:DeleteAccessKey", resource=user)
def delete_access_key(call: Call) -> None:
    access_keys.delete_access_key(by=call.principal, key=found_key(call))


@action("iam:ListAccessKeys", resource=user)
def list_access_keys(call: Call) -> Result:
    page = call.page_of(list(keys_of_target(call).order_by("created_at", "access_key_id")))
    return {"AccessKeyMetadata": [describe.access_key(row) for row in page.items], **page.fields}


@action("iam:GetAccessKeyLastUsed", resource=owner_of_key)
def get_access_key_last_used(call: Call) -> Result:
    row = call.target.row
    if not isinstance(row, AccessKey):
        raise no_such_key(call)
    return {"UserName": row.user.name if row.user else None, "AccessKeyLastUsed": describe.last_use(row)}
