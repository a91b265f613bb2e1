from dataclasses import replace

from django.db.models import QuerySet

from api import describe_credentials
from api.registry import Call, Context, Result, Target, action
from api.targets import found_user, user
from audit.errors import ValidationError
from identities.models import ServiceSpecificCredential, User
from identities.resource_tags import service_key
from identities.services import service_credentials


def new_credential(call: Call) -> Context:
    """For which service, and for how many days."""
    age = (
        {"iam:ServiceSpecificCredentialAgeDays": str(call["CredentialAgeDays"])} if "CredentialAgeDays" in call else {}
    )
    return {**service_key(call["ServiceName"]), **age}


def user_with_credential(call: Call) -> Target:
    """The user, who is asked about for the service of the credential that the call names."""
    found = user(call)
    row = _credential(call, found.row) if isinstance(found.row, User) else None
    return replace(found, row=row, context={**found.context, **service_key(row.service)}) if row else found


def listed_users(call: Call) -> Target:
    """All users at once are asked for as all users."""
    return Target(f"arn:aws:iam::{call.account_id}:user/*") if call.get("AllUsers") else user(call)


def found_credential(call: Call) -> ServiceSpecificCredential:
    """The credential that the call names, if it is the target's own. Raises NoSuchEntity."""
    row = call.target.row
    if isinstance(row, ServiceSpecificCredential):
        return row
    found = _credential(call, found_user(call))
    if found is None:
        raise service_credentials.no_such_credential(call["ServiceSpecificCredentialId"])
    return found


def _credential(call: Call, owner: User) -> ServiceSpecificCredential | None:
    rows = owner.service_specific_credentials.select_related("user__account__root_user")
    return rows.filter(pk=call["ServiceSpecificCredentialId"]).first()


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
    member = "ServiceCredentialSecret" if is_api_key else "ServicePassword"
    return {**describe_credentials.service_credential(row, call.now), member: secret}


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


@action("iam:ResetServiceSpecificCredential", resource=user_with_credential)
def reset_service_specific_credential(call: Call) -> Result:
    row = found_credential(call)
    secret = service_credentials.reset_service_specific_credential(by=call.principal, credential=row)
    return {"ServiceSpecificCredential": with_secret(call, row, secret)}


@action("iam:UpdateServiceSpecificCredential", resource=user_with_credential)
def update_service_specific_credential(call: Call) -> None:
    service_credentials.update_service_specific_credential(
        by=call.principal, credential=found_credential(call), status=call["Status"]
    )


@action("iam:DeleteServiceSpecificCredential", resource=user_with_credential)
def delete_service_specific_credential(call: Call) -> None:
    service_credentials.delete_service_specific_credential(by=call.principal, credential=found_credential(call))
