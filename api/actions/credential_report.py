from api.registry import Call, Result, action
from identities.services import credential_report


@action("iam:GenerateCredentialReport", resource="*")
def generate_credential_report(call: Call) -> Result:
    """A new report is there when this returns; whoever asks again, as tools do, hears that it is complete."""
    _, why = credential_report.generate_credential_report(by=call.principal)
    return {"State": "STARTED", "Description": why} if why else {"State": "COMPLETE"}


@action("iam:GetCredentialReport", resource="*")
def get_credential_report(call: Call) -> Result:
    report = credential_report.get_credential_report(call.account_id)
    return {"Content": report.content.encode(), "ReportFormat": "text/csv", "GeneratedTime": report.generated_at}
