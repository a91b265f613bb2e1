from api import describe_credentials
from api.registry import Call, Result, action
from api.targets import found_user, user
from identities import public_keys
from identities.models import SSHPublicKey
from identities.services import ssh_public_keys


def found_key(call: Call) -> SSHPublicKey:
    """The key that SSHPublicKeyId names, if it is the target's own. Raises NoSuchEntity."""
    keys = SSHPublicKey.objects.select_related("user").filter(user=found_user(call))
    row = keys.filter(pk=call["SSHPublicKeyId"]).first()
    if row is None:
        raise ssh_public_keys.no_such_key(call["SSHPublicKeyId"])
    return row


@action("iam:UploadSSHPublicKey", resource=user)
def upload_ssh_public_key(call: Call) -> Result:
    row = ssh_public_keys.upload_ssh_public_key(by=call.principal, user=found_user(call), body=call["SSHPublicKeyBody"])
    return {"SSHPublicKey": describe_credentials.ssh_public_key(row, row.body)}


@action("iam:GetSSHPublicKey", resource=user)
def get_ssh_public_key(call: Call) -> Result:
    """In the form that is asked for; a line of OpenSSH keeps the comment that it was given with."""
    row = found_key(call)
    wants_ssh, is_ssh = call["Encoding"] == "SSH", row.body.startswith("ssh-rsa")
    body = row.body
    if wants_ssh != is_ssh:
        key = public_keys.read_ssh_key(row.body)
        body = public_keys.as_ssh(key) if wants_ssh else public_keys.as_pem(key)
    return {"SSHPublicKey": describe_credentials.ssh_public_key(row, body)}


@action("iam:ListSSHPublicKeys", resource=user)
def list_ssh_public_keys(call: Call) -> Result:
    rows = found_user(call).ssh_public_keys.select_related("user").order_by("uploaded_at", "slot")
    page = call.page_of(list(rows))
    return {"SSHPublicKeys": [describe_credentials.ssh_public_key_metadata(row) for row in page.items], **page.fields}


@action("iam:UpdateSSHPublicKey", resource=user)
def update_ssh_public_key(call: Call) -> None:
    ssh_public_keys.update_ssh_public_key(by=call.principal, key=found_key(call), status=call["Status"])


@action("iam:DeleteSSHPublicKey", resource=user)
def delete_ssh_public_key(call: Call) -> None:
    ssh_public_keys.delete_ssh_public_key(by=call.principal, key=found_key(call))
