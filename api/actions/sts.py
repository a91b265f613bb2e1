from access import messages
from access.explaining import Reader
from accounts.ids import account_of_access_key
from api.registry import Call, Result, action
from audit.errors import ValidationError


@action("sts:GetCallerIdentity", resource=None)
def get_caller_identity(call: Call) -> Result:
    principal = call.principal
    return {"UserId": principal.unique_id, "Account": principal.account_id, "Arn": principal.arn}


@action("sts:GetAccessKeyInfo", resource="*")
def get_access_key_info(call: Call) -> Result:
    """The account is part of the id, so this tells nothing of whether the key exists."""
    try:
        return {"Account": account_of_access_key(call["AccessKeyId"])}
    except ValueError as exc:
        raise ValidationError(f"{call['AccessKeyId']} is not a valid access key id.") from exc


@action("sts:DecodeAuthorizationMessage", resource="*")
def decode_authorization_message(call: Call) -> Result:
    """What the encoded message of a refusal says, as far as the caller may read what it is about."""
    return {"DecodedMessage": messages.decoded(call["EncodedMessage"], Reader(call.gate, call.account_id))}
