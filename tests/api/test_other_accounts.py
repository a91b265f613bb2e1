"""Everything that Acme has, named by Globex's administrator: the answer is the one for what has never been there."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from accounts.models import Account
from api import actions
from api.registry import Action
from identities.models import User
from policies.models import ManagedPolicy
from tests.api.conftest import READ, ProgramOf
from tests.api.program import Program, Refused
from tests.api.samples import sample
from tests.api.test_every_action import operation_of
from tests.api.test_user_credentials import ssh_line
from tests.cast import ACME, trusting
from tests.federation.companies import metadata, pem
from tests.identities.certificates import issue

LINKED = "autoscaling.amazonaws.com"
TASK = f"task/aws-service-role/{LINKED}"
# Of Acme's account too, in the same form, and nobody's.
NOBODYS: dict[str, Any] = {
    "UserName": "zora",
    "GroupName": "zeroes",
    "RoleName": "zombie",
    "InstanceProfileName": "zip",
    "ServerCertificateName": "zzz",
    "PolicyName": "nix",
    "PolicyArn": f"arn:aws:iam::{ACME}:policy/zeroers",
    "PermissionsBoundary": f"arn:aws:iam::{ACME}:policy/zeroers",
    "SerialNumber": f"arn:aws:iam::{ACME}:mfa/zone",
    "SAMLProviderArn": f"arn:aws:iam::{ACME}:saml-provider/zorp",
    "OpenIDConnectProviderArn": f"arn:aws:iam::{ACME}:oidc-provider/id.zebra.com",
    "PrincipalArn": f"arn:aws:iam::{ACME}:saml-provider/zorp",
    "RoleArn": f"arn:aws:iam::{ACME}:role/zombie",
    "PolicySourceArn": f"arn:aws:iam::{ACME}:user/zora",
    "Arn": f"arn:aws:iam::{ACME}:user/zora",
    "DeletionTaskId": f"{TASK}/AWSServiceRoleForZutoScaling/4c1e8a11-0000-4000-8000-000000000000",
    "JobId": "4c1e8a11-0000-4000-8000-000000000000",
    "AccessKeyId": "AKIAQAAAAAAAAAAAAAAA",
    "CertificateId": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "SSHPublicKeyId": "APKAAAAAAAAAAAAAAAAA",
    "ServiceSpecificCredentialId": "ACCAAAAAAAAAAAAAAAAAA",
    "VersionId": "v1",
}
SHARED: dict[str, Any] = {
    "AssumeRolePolicyDocument": trusting("*"),
    "PolicyDocument": READ,
    "AuthenticationCode1": "123456",
    "AuthenticationCode2": "654321",
    "Tags": [{"Key": "team", "Value": "red"}],
    "TagKeys": ["team"],
    "ActionNames": ["iam:GetUser"],
    "RoleSessionName": "mallory",
    "ServiceName": "codecommit.amazonaws.com",
    "ServiceNamespaces": ["iam"],
    "ServiceNamespace": "iam",
    "AWSServiceName": LINKED,
    "Status": "Inactive",
    "Password": "correct horse Battery 9",
    "SAMLMetadataDocument": metadata(),
}
DROPPED = {"Marker", "SerialNumber", "TokenCode", "PolicyArns", "Policy"}


@pytest.fixture
def acmes(acme: Account, alice: User, readers: ManagedPolicy, program_of: ProgramOf) -> dict[str, Any]:
    """One of everything, and what it is called."""
    call = program_of(alice).iam
    named = {"UserName": "carol"}
    call("CreateUser", **named)
    call("CreateLoginProfile", **named, Password=SHARED["Password"])
    call("PutUserPolicy", **named, PolicyName="own", PolicyDocument=READ)
    call("CreateGroup", GroupName="admins")
    call("PutGroupPolicy", GroupName="admins", PolicyName="own", PolicyDocument=READ)
    call("AddUserToGroup", GroupName="admins", **named)
    call("CreateRole", RoleName="deploy", AssumeRolePolicyDocument=trusting(acme.root_arn))
    call("PutRolePolicy", RoleName="deploy", PolicyName="own", PolicyDocument=READ)
    call("CreateInstanceProfile", InstanceProfileName="web")
    call("AddRoleToInstanceProfile", InstanceProfileName="web", RoleName="deploy")
    site = issue("hub1")
    call(
        "UploadServerCertificate", ServerCertificateName="hub1", CertificateBody=site.body, PrivateKey=site.private_key
    )
    call("CreateServiceLinkedRole", AWSServiceName=LINKED)
    document = {"Name": "corp", "SAMLMetadataDocument": metadata()}
    provider = {"Url": "https://id.example.com", "ClientIDList": ["one"], "ThumbprintList": ["a" * 40]}
    credential = call("CreateServiceSpecificCredential", **named, ServiceName=SHARED["ServiceName"])
    certificate = call("UploadSigningCertificate", **named, CertificateBody=issue("carol").body)
    device = call("CreateVirtualMFADevice", VirtualMFADeviceName="phone")
    key = call("UploadSSHPublicKey", **named, SSHPublicKeyBody=ssh_line())
    return {
        **named,
        "GroupName": "admins",
        "RoleName": "deploy",
        "InstanceProfileName": "web",
        "ServerCertificateName": "hub1",
        "PolicyName": "own",
        "PolicyArn": readers.arn,
        "PermissionsBoundary": readers.arn,
        "SerialNumber": device["VirtualMFADevice"]["SerialNumber"],
        "SAMLProviderArn": call("CreateSAMLProvider", **document, AddPrivateKey=pem())["SAMLProviderArn"],
        "OpenIDConnectProviderArn": call("CreateOpenIDConnectProvider", **provider)["OpenIDConnectProviderArn"],
        "PrincipalArn": f"arn:aws:iam::{ACME}:saml-provider/corp",
        "RoleArn": f"arn:aws:iam::{ACME}:role/deploy",
        "PolicySourceArn": f"arn:aws:iam::{ACME}:user/carol",
        "Arn": f"arn:aws:iam::{ACME}:user/carol",
        "DeletionTaskId": call("DeleteServiceLinkedRole", RoleName="AWSServiceRoleForAutoScaling")["DeletionTaskId"],
        "JobId": call("GenerateServiceLastAccessedDetails", Arn=alice.arn)["JobId"],
        "AccessKeyId": call("CreateAccessKey", **named)["AccessKey"]["AccessKeyId"],
        "CertificateId": certificate["Certificate"]["CertificateId"],
        "SSHPublicKeyId": key["SSHPublicKey"]["SSHPublicKeyId"],
        "ServiceSpecificCredentialId": credential["ServiceSpecificCredential"]["ServiceSpecificCredentialId"],
        "VersionId": "v1",
    }


MAKING = {
    "iam:CreateUser",
    "iam:CreateGroup",
    "iam:CreateRole",
    "iam:CreatePolicy",
    "iam:CreateInstanceProfile",
    "iam:UploadServerCertificate",
    # Says the account that is part of the key's id, of whatever is an id.
    "sts:GetAccessKeyInfo",
    # About oneself.
    "sts:GetSessionToken",
}
# Things of Acme's that one may try to use with a user, group or role of one's own.
USED = {
    "AccessKeyId",
    "CertificateId",
    "PermissionsBoundary",
    "PolicyArn",
    "SSHPublicKeyId",
    "SerialNumber",
    "ServiceSpecificCredentialId",
}


def names_something(action: Action) -> bool:
    """What makes a thing of this name makes it in the caller's own account."""
    members = set(operation_of(action).input.members)
    return bool(members & NOBODYS.keys()) and action.name not in MAKING


def answer(program: Program, action: Action, names: Mapping[str, Any]) -> str:
    """What the caller sees, with the names that were asked for in it marked."""
    operation = operation_of(action)
    made_up = sample(operation.input)
    assert isinstance(made_up, dict)
    inputs = {
        name: names.get(name, SHARED.get(name, value))
        for name, value in made_up.items()
        if name not in DROPPED or name in operation.input.required
    }
    try:
        seen = str(program.call(operation.service, operation.name, **inputs))
    except Refused as refused:
        seen = str(refused)
    for name, value in sorted(names.items(), key=lambda pair: -len(pair[1])):
        seen = seen if name == "VersionId" else seen.replace(value, f"<{name}>")
    return seen


def told_apart(program: Program, asked: Iterable[Action], acmes: dict[str, Any], **own: str) -> dict[str, Any]:
    """Those operations that answer otherwise for what Acme has than for what nobody has."""
    pairs = {each.name: (answer(program, each, acmes | own), answer(program, each, NOBODYS | own)) for each in asked}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@pytest.mark.bar(61)
def test_what_another_account_has_is_as_what_nobody_has(
    acmes: dict[str, Any], mallory: User, program_of: ProgramOf
) -> None:
    asked = filter(names_something, actions.registered())
    assert not told_apart(program_of(mallory), asked, acmes)


@pytest.mark.bar(61)
def test_nothing_of_another_account_is_used_with_ones_own(
    acmes: dict[str, Any], mallory: User, program_of: ProgramOf
) -> None:
    program = program_of(mallory)
    program.iam("CreateUser", UserName="mule")
    program.iam("CreateGroup", GroupName="mules")
    program.iam("CreateRole", RoleName="mask", AssumeRolePolicyDocument=trusting(mallory.arn))
    own = {"UserName": "mule", "GroupName": "mules", "RoleName": "mask"}
    asked = [each for each in actions.registered() if USED & set(operation_of(each).input.members)]
    asked = [each for each in asked if not each.name.startswith(("sts:", "iam:CreateUser", "iam:CreateRole"))]
    assert not told_apart(program, asked, acmes, **own)
    trust = trusting(mallory.arn)
    for boundary in (acmes["PolicyArn"], NOBODYS["PolicyArn"]):
        with pytest.raises(Refused, match="NoSuchEntity"):
            program.iam("CreateUser", UserName="x", PermissionsBoundary=boundary)
        with pytest.raises(Refused, match="NoSuchEntity"):
            program.iam("CreateRole", RoleName="x", AssumeRolePolicyDocument=trust, PermissionsBoundary=boundary)
