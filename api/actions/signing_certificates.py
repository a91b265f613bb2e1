from django.db.models import QuerySet

from api import describe_credentials
from api.registry import Call, Result, action
from api.targets import found_user, user
from identities.models import SigningCertificate
from identities.services import signing_certificates


def certificates_of_target(call: Call) -> QuerySet[SigningCertificate]:
    """Those of the named user, or of the caller; root's own have no user."""
    owner = None if call.is_about_root else found_user(call)
    return SigningCertificate.objects.filter(account_id=call.account_id, user=owner).select_related("user")


def found_certificate(call: Call) -> SigningCertificate:
    """The certificate that CertificateId names, if it is the target's own. Raises NoSuchEntity."""
    row = certificates_of_target(call).filter(pk=call["CertificateId"]).first()
    if row is None:
        raise signing_certificates.no_such_certificate(call["CertificateId"])
    return row


@action("iam:UploadSigningCertificate", resource=user)
def upload_signing_certificate(call: Call) -> Result:
    owner = None if call.is_about_root else found_user(call)
    row = signing_certificates.upload_signing_certificate(by=call.principal, user=owner, body=call["CertificateBody"])
    return {"Certificate": describe_credentials.signing_certificate(row)}


@action("iam:ListSigningCertificates", resource=user)
def list_signing_certificates(call: Call) -> Result:
    page = call.page_of(list(certificates_of_target(call).order_by("uploaded_at", "slot")))
    return {"Certificates": [describe_credentials.signing_certificate(row) for row in page.items], **page.fields}


@action("iam:UpdateSigningCertificate", resource=user)
def update_signing_certificate(call: Call) -> None:
    signing_certificates.update_signing_certificate(
        by=call.principal, certificate=found_certificate(call), status=call["Status"]
    )


@action("iam:DeleteSigningCertificate", resource=user)
def delete_signing_certificate(call: Call) -> None:
    signing_certificates.delete_signing_certificate(by=call.principal, certificate=found_certificate(call))
