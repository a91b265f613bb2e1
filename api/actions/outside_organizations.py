"""What AWS offers to partners and to members of AWS Organizations. An account here is in no organization and has no
partner, so each of these answers what AWS answers to an account like that, in the operation's own words."""

from typing import ClassVar, NoReturn

from api.registry import Call, Context, Target, action
from audit.errors import InvalidInput, NoSuchEntity, ServiceError


class OrganizationNotFound(ServiceError):
    """The account belongs to no organization."""

    code: ClassVar[str] = "OrganizationNotFoundException"


class ReportGenerationLimitExceeded(ServiceError):
    """There is nothing that could be reported on."""

    code: ClassVar[str] = "ReportGenerationLimitExceeded"


def delegation_request(call: Call) -> Target:
    return Target(f"arn:aws:iam::{call.account_id}:delegation-request/{call['DelegationRequestId']}")


def summarised_entity(call: Call) -> Target:
    return Target(call["EntityArn"])


def role_template(call: Call) -> Target:
    return Target(call["TemplateArn"])


def no_organization(call: Call) -> NoReturn:
    raise OrganizationNotFound(f"The account {call.account_id} is not a member of an organization.")


def no_delegation_request(call: Call) -> NoReturn:
    raise NoSuchEntity(f"The delegation request with id {call['DelegationRequestId']} cannot be found.")


def no_role_template(call: Call) -> NoReturn:
    raise NoSuchEntity(f"The role template {call['TemplateArn']} cannot be found.")


@action("iam:EnableOrganizationsRootCredentialsManagement", resource="*")
def enable_organizations_root_credentials_management(call: Call) -> None:
    no_organization(call)


@action("iam:DisableOrganizationsRootCredentialsManagement", resource="*")
def disable_organizations_root_credentials_management(call: Call) -> None:
    no_organization(call)


@action("iam:EnableOrganizationsRootSessions", resource="*")
def enable_organizations_root_sessions(call: Call) -> None:
    no_organization(call)


@action("iam:DisableOrganizationsRootSessions", resource="*")
def disable_organizations_root_sessions(call: Call) -> None:
    no_organization(call)


@action("iam:ListOrganizationsFeatures", resource="*")
def list_organizations_features(call: Call) -> None:
    no_organization(call)


def policy_of_organization(call: Call) -> Context:
    return {"iam:OrganizationsPolicyId": call["OrganizationsPolicyId"]} if "OrganizationsPolicyId" in call else {}


@action(
    "iam:GenerateOrganizationsAccessReport",
    resource="access-report/{EntityPath}",
    context=policy_of_organization,
)
def generate_organizations_access_report(call: Call) -> None:
    raise ReportGenerationLimitExceeded(
        f"No report can be generated: the account {call.account_id} is not a member of an organization."
    )


@action("iam:GetOrganizationsAccessReport", resource="*")
def get_organizations_access_report(call: Call) -> None:
    raise NoSuchEntity(f"The report job with id {call['JobId']} cannot be found.")


@action("iam:CreateDelegationRequest", resource="delegation-request/*")
def create_delegation_request(call: Call) -> None:
    raise InvalidInput("Delegation requests are made by registered partners, and this server has none.")


@action("iam:ListDelegationRequests", resource="*")
def list_delegation_requests(call: Call) -> None:
    raise InvalidInput("This server has no registered partners, and so no delegation requests.")


@action("iam:GetDelegationRequest", resource=delegation_request)
def get_delegation_request(call: Call) -> None:
    no_delegation_request(call)


@action("iam:AcceptDelegationRequest", resource=delegation_request)
def accept_delegation_request(call: Call) -> None:
    no_delegation_request(call)


@action("iam:AssociateDelegationRequest", resource=delegation_request)
def associate_delegation_request(call: Call) -> None:
    no_delegation_request(call)


@action("iam:RejectDelegationRequest", resource=delegation_request)
def reject_delegation_request(call: Call) -> None:
    no_delegation_request(call)


@action("iam:SendDelegationToken", resource=delegation_request)
def send_delegation_token(call: Call) -> None:
    no_delegation_request(call)


@action("iam:UpdateDelegationRequest", resource=delegation_request)
def update_delegation_request(call: Call) -> None:
    no_delegation_request(call)


@action("iam:GetHumanReadableSummary", resource=summarised_entity)
def get_human_readable_summary(call: Call) -> None:
    raise NoSuchEntity(f"The delegation request {call['EntityArn']} cannot be found.")


@action("iam:AcquireRole", resource=role_template)
def acquire_role(call: Call) -> None:
    no_role_template(call)


@action("iam:GetRoleTemplateVersion", resource=role_template)
def get_role_template_version(call: Call) -> None:
    no_role_template(call)
