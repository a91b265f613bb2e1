from django.db.models import QuerySet

from api import describe_credentials
from api.registry import Call, Context, Result, Target, action
from api.targets import found_user, user
from audit.errors import ValidationError
from identities.models import ServiceSpecificCredential, User
from identities.services import service_credentials

_SERVICE = "iam:ServiceSpecificCredentialServiceName"


def new_credential(call: Call) -> Context:
    """For which service, and for how many days."""
    age = (
        {"iam:ServiceSpecificCredentialAgeDays": str(call["CredentialAgeDays"])} if "CredentialAgeDays" in call else {}
    )
    return {_SERVICE: call["ServiceName"], **age}


def service_of_credential(call: Call) -> Context:
    if not isinstance(call.target.row, User):
        return {}
    row = call.target.row.service_specific_credentials.filter(pk=call["ServiceSpecificCredentialId"]).first()
    return {_SERVICE: row.service} if row else {}


def listed_users(call: Call) -> Target:
    """All users at once are asked for as all users."""
    return Target(f"arn:aws:iam::{call.account_id}:user/*") if call.get("AllUsers") else user(call)


def found_credential(call: Call) -> ServiceSpecificCredential:
    """The credential that the call names, if it is the target's own. Raises NoSuchEntity."""
    rows = found_user(call).service_specific_credentials.select_related("user")
    row = rows.filter(pk=call["ServiceSpecificCredentialId"]).first()
    if row is None:
        raise service_credentials.no_such_credential(call["ServiceSpecificCredentialId"])
    return row


@action("iam:CreateServiceSpecificCredential", resource=user, context=new_credential)
def create_service_specific_credential(call: Call) -> Result:
    row, secret = service_credentials.create_service_specific_credential(
        by=call.principal,
        user=found_user(call),
        service=call["ServiceName"],
        age_days=call.get("CredentialAgeDays"),
    )
    return {"ServiceSpecificCredential": with_secret(call, row, secret)}


def with_secret(call: Call, row: ServiceSpecificCredential, secret: str) -> Result:
    is_api_key = service_credentials.SERVICES[row.service].api_key_prefix
    told = "ServiceCredentialSecret" if is_api_key else "ServicePassword"
    return {**describe_credentials.service_credential(row, call.now), told: secret}


@action("iam:ListServiceSpecificCredentials", resource=listed_users)
def list_service_specific_credentials(call: Call) -> Result:
    rows = credentials_asked_for(call).select_related("user")
    if "ServiceName" in call:
        service_credentials.check_service(call["ServiceName"])
        rows = rows.filter(service=call["ServiceName"])
    page = call.page(rows, "pk")
    found = [describe_credentials.service_credential(row, call.now) for row in page.items]
    return {"ServiceSpecificCredentials": found, **page.fields}


def credentials_asked_for(call: Call) -> QuerySet[ServiceSpecificCredential]:
    if not call.get("AllUsers"):
        return ServiceSpecificCredential.objects.filter(user=found_user(call))
    if "UserName" in call:
        raise ValidationError("UserName and AllUsers can't be given together.")
    return ServiceSpecificCredential.objects.filter(account_id=call.account_id)


@action("iam:ResetServiceSpecificCredential", resource=user, context=service_of_credential)
def reset_service_specific_credential(call: Call) -> Result:
    row = found_credential(call)
    secret = service_credentials.reset_service_specific_credential(by=call.principal, credential=row)
    return {"ServiceSpecificCredential": with_secret(call, row, secret)}


@action("iam:UpdateServiceSpecificCredential", resource=user)
def update_service_specific_credential(call: Call) -> None:
    service_credentials.update_service_specific_credential(
        by=call.principal, credential=found_credential(call), status=call["Status"]
    )


@action("iam:DeleteServiceSpecificCredential", resource=user)
def delete_service_specific_credential(call: Call) -> None:
    service_credentials.delete_service_specific_credential(by=call.principal, credential=found_credential(call))
