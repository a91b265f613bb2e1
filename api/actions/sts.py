from access import assume_role as roles
from access import encoded_messages, user_sessions
from access.explaining import Reader
from access.principals import federated_user_arn
from access.temporary_credentials import Credentials, InvalidParameterValue, SessionRequest
from accounts.ids import account_of_access_key
from api import context
from api.registry import Call, Result, Target, action
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
    return {
        "DecodedMessage": encoded_messages.decoded(
            call["EncodedMessage"], Reader(call.gate, call.account_id), call.principal.unique_id
        )
    }


@action("sts:AssumeRole", resource=None)
def assume_role(call: Call) -> Result:
    """Decided by the caller's policies and the role's trust policy together, so not by the dispatcher."""
    call.target = Target(call["RoleArn"])
    if roles.ROLE_ARN.fullmatch(call["RoleArn"]) is None:
        raise ValidationError(f"{call['RoleArn']} is invalid")
    proofs = roles.Proofs(call.get("ExternalId", ""), call.get("SerialNumber", ""), call.get("TokenCode", ""))
    made = roles.assume_role(gate=call.gate, role_arn=call["RoleArn"], requested=session_request(call), proofs=proofs)
    return role_session(made)


@action("sts:GetSessionToken", resource=None)
def get_session_token(call: Call) -> Result:
    made = user_sessions.get_session_token(
        gate=call.gate,
        seconds=call.get("DurationSeconds"),
        serial_number=call.get("SerialNumber", ""),
        code=call.get("TokenCode", ""),
    )
    return {"Credentials": credentials(made)}


def federated_user(call: Call) -> Target:
    return Target(federated_user_arn(call.account_id, call["Name"]))


@action("sts:GetFederationToken", resource=federated_user, context=context.request_tags)
def get_federation_token(call: Call) -> Result:
    requested = session_request(call)
    if requested.tags:
        call.gate.require("sts:TagSession", call.target.arn, context.request_tags(call))
    made = user_sessions.get_federation_token(by=call.principal, requested=requested)
    return {
        "Credentials": credentials(made.credentials),
        "FederatedUser": {"FederatedUserId": made.unique_id, "Arn": made.arn},
        "PackedPolicySize": made.packed_percent,
    }


def session_request(call: Call) -> SessionRequest:
    """What a call asks of the session. Raises InvalidParameterValue for a tag given twice."""
    tags = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
    if len({key.casefold() for key in tags}) < len(call.get("Tags", [])):
        raise InvalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    return SessionRequest(
        name=call.get("RoleSessionName") or call.get("Name", ""),
        seconds=call.get("DurationSeconds"),
        document=call.get("Policy", ""),
        policy_arns=tuple(each.get("arn", "") for each in call.get("PolicyArns", [])),
        tags=tags,
        transitive_keys=tuple(call.get("TransitiveTagKeys", ())),
        source_identity=call.get("SourceIdentity", ""),
    )


def role_session(made: roles.RoleSession) -> Result:
    """What all three operations that make a role session answer."""
    return {
        "Credentials": credentials(made.credentials),
        "AssumedRoleUser": {"AssumedRoleId": made.unique_id, "Arn": made.arn},
        "PackedPolicySize": made.packed_percent or None,
        "SourceIdentity": made.source_identity or None,
    }


def credentials(made: Credentials) -> Result:
    return {
        "AccessKeyId": made.access_key_id,
        "SecretAccessKey": made.secret_access_key,
        "SessionToken": made.session_token,
        "Expiration": made.expires_at,
    }
