from accounts.tags import first_with_tags, resource_tag_keys
from api import context, describe, describe_credentials, listed
from api.registry import Call, Result, Target, action
from api.targets import exact_tags
from identities.models import ServerCertificate
from identities.models.certificates import server_certificate_arn
from identities.services import server_certificates


def certificate(call: Call) -> Target:
    """The certificate that ServerCertificateName names."""
    name = call["ServerCertificateName"]
    row, tags = first_with_tags(ServerCertificate.objects.filter(account_id=call.account_id, name_key=name.lower()))
    asked = server_certificate_arn(call.account_id, "/", name)
    return Target(row.arn if row else asked, row, resource_tag_keys(tags), asked=asked, tags=tags)


def found_certificate(call: Call) -> ServerCertificate:
    """Raises NoSuchEntity."""
    if isinstance(call.target.row, ServerCertificate):
        return call.target.row
    raise server_certificates.no_such_certificate(call["ServerCertificateName"])


@action(
    "iam:UploadServerCertificate",
    resource="server-certificate{Path}{ServerCertificateName}",
    context=context.request_tags,
)
def upload_server_certificate(call: Call) -> Result:
    tags = context.tags_at_birth(call, "iam:TagServerCertificate")
    row = server_certificates.upload_server_certificate(
        by=call.principal,
        name=call["ServerCertificateName"],
        path=call.get("Path", "/"),
        body=call["CertificateBody"],
        private_key=call["PrivateKey"],
        chain=call.get("CertificateChain", ""),
        tags=tags,
    )
    return {
        "ServerCertificateMetadata": describe_credentials.server_certificate(row),
        "Tags": describe.tags(tags.items()) or None,
    }


@action("iam:GetServerCertificate", resource=certificate)
def get_server_certificate(call: Call) -> Result:
    row = found_certificate(call)
    return {
        "ServerCertificate": {
            "ServerCertificateMetadata": describe_credentials.server_certificate(row),
            "CertificateBody": row.body,
            "CertificateChain": row.chain or None,
            "Tags": describe.tags(call.target.tags.items()),
        }
    }


@action("iam:ListServerCertificates", resource="*")
def list_server_certificates(call: Call) -> Result:
    page = call.table(listed.SERVER_CERTIFICATES)
    return {"ServerCertificateMetadataList": page.rows, **page.fields}


@action("iam:UpdateServerCertificate", resource=certificate)
def update_server_certificate(call: Call) -> None:
    """Renaming is a change of two names, and needs the permission on both."""
    row = found_certificate(call)
    path, name = call.get("NewPath", row.path), call.get("NewServerCertificateName", row.name)
    renamed = server_certificate_arn(call.account_id, path, name)
    call.gate.require(call.operation.action, renamed, call.target.context)
    server_certificates.update_server_certificate(
        by=call.principal,
        certificate=row,
        new_name=call.get("NewServerCertificateName"),
        new_path=call.get("NewPath"),
    )


@action("iam:DeleteServerCertificate", resource=certificate)
def delete_server_certificate(call: Call) -> None:
    server_certificates.delete_server_certificate(by=call.principal, certificate=found_certificate(call))


@action("iam:TagServerCertificate", resource=certificate, context=context.request_tags)
def tag_server_certificate(call: Call) -> None:
    server_certificates.tag_server_certificate(
        by=call.principal, certificate=found_certificate(call), tags=exact_tags(call)
    )


@action("iam:UntagServerCertificate", resource=certificate, context=context.removed_tags)
def untag_server_certificate(call: Call) -> None:
    server_certificates.untag_server_certificate(
        by=call.principal, certificate=found_certificate(call), keys=call["TagKeys"]
    )


@action("iam:ListServerCertificateTags", resource=certificate)
def list_server_certificate_tags(call: Call) -> Result:
    found_certificate(call)
    page = call.page_of(describe.tags(call.target.tags.items()))
    return {"Tags": page.items, **page.fields}
