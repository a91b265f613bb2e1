"""One life of users, groups, policies, keys and roles, walked by each kind of program: boto3, the AWS command line and
curl. (The SDK for JavaScript walks its own, in test_javascript_sdk.py.)"""

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from botocore import xform_name
from botocore.serialize import QuerySerializer

from accounts.models import Account
from identities.models import AccessKey, Group, InstanceProfile, Role, User
from policies.models import ManagedPolicy
from tests.api.conftest import SECRET, key_of
from tests.api.program import model
from tests.rig.programs import Credentials, Programs

Call = Callable[..., None]

POLICY = "arn:aws:iam::111122223333:policy/team/look"
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}]}
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}
        ],
    }
)
TAGS = [{"Key": "cost centre", "Value": "ré d + @x"}]
CAROL, DEVELOPERS, READER = {"UserName": "carol"}, {"GroupName": "developers"}, {"RoleName": "reader"}
ATTACHED, INLINE, PROFILE = {"PolicyArn": POLICY}, {"PolicyName": "inline"}, {"InstanceProfileName": "machines"}

GROWING: list[tuple[str, dict[str, Any]]] = [
    ("CreateUser", {**CAROL, "Path": "/eng/", "Tags": TAGS}),
    ("CreateAccessKey", CAROL),
    ("CreateGroup", DEVELOPERS),
    ("AddUserToGroup", {**DEVELOPERS, **CAROL}),
    ("CreatePolicy", {"PolicyName": "look", "Path": "/team/", "PolicyDocument": DOCUMENT}),
    ("CreatePolicyVersion", {**ATTACHED, "PolicyDocument": DOCUMENT, "SetAsDefault": True}),
    ("AttachGroupPolicy", {**DEVELOPERS, **ATTACHED}),
    ("PutUserPolicy", {**CAROL, **INLINE, "PolicyDocument": DOCUMENT}),
    ("CreateRole", {**READER, "AssumeRolePolicyDocument": TRUST, "Tags": TAGS}),
    ("AttachRolePolicy", {**READER, **ATTACHED}),
    ("CreateInstanceProfile", PROFILE),
    ("AddRoleToInstanceProfile", {**PROFILE, **READER}),
]
SHRINKING: list[tuple[str, dict[str, Any]]] = [
    ("RemoveRoleFromInstanceProfile", {**PROFILE, **READER}),
    ("DeleteInstanceProfile", PROFILE),
    ("DetachRolePolicy", {**READER, **ATTACHED}),
    ("DeleteRole", READER),
    ("DeleteUserPolicy", {**CAROL, **INLINE}),
    ("DetachGroupPolicy", {**DEVELOPERS, **ATTACHED}),
    ("DeletePolicyVersion", {**ATTACHED, "VersionId": "v1"}),
    ("DeletePolicy", ATTACHED),
    ("RemoveUserFromGroup", {**DEVELOPERS, **CAROL}),
    ("DeleteGroup", DEVELOPERS),
]


@pytest.fixture
def alices(alice: User) -> Credentials:
    return Credentials(key_of(alice).access_key_id, SECRET)


def by_boto3(programs: Programs, who: Credentials) -> Call:
    client = programs.iam(who)

    def call(operation: str, inputs: dict[str, Any]) -> None:
        getattr(client, xform_name(operation))(**inputs)

    return call


def by_the_command_line(programs: Programs, who: Credentials) -> Call:
    def call(operation: str, inputs: dict[str, Any]) -> None:
        programs.aws(who, "iam", xform_name(operation, "-"), "--cli-input-json", json.dumps(inputs))

    return call


def by_curl(programs: Programs, who: Credentials) -> Call:
    def call(operation: str, inputs: dict[str, Any]) -> None:
        form = QuerySerializer().serialize_to_request(inputs, model("iam").operation_model(operation))["body"]
        command = ["curl", "-sS", "--fail-with-body", "--aws-sigv4", "aws:amz:us-east-1:iam", "--user"]
        command += [f"{who.access_key_id}:{who.secret_access_key}", "--data", urlencode(form), f"{programs.endpoint}/"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
        root = ElementTree.fromstring(done.stdout)  # noqa: S314 - the server's own answer
        assert root.tag.endswith(f"}}{operation}Response")

    return call


# The command line starts anew for each call and sends what boto3 does: seen on one database, it is seen.
BY_THE_COMMAND_LINE = pytest.param(by_the_command_line, marks=pytest.mark.sqlite)


@pytest.mark.parametrize("program", [by_boto3, BY_THE_COMMAND_LINE, by_curl])
def test_a_whole_life(
    program: Callable[[Programs, Credentials], Call], programs: Programs, alices: Credentials, acme: Account
) -> None:
    if program is by_curl and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    call = program(programs, alices)
    for operation, inputs in GROWING:
        call(operation, inputs)
    carol = User.objects.get(name="carol")
    assert (carol.arn, [tag.value for tag in carol.tags.all()]) == (
        "arn:aws:iam::111122223333:user/eng/carol",
        ["ré d + @x"],
    )
    assert carol.memberships.count() == carol.inline_policies.count() == carol.access_keys.count() == 1
    assert Role.objects.get().attachments.get().policy.arn == POLICY
    for operation, inputs in SHRINKING:
        call(operation, inputs)
    call("DeleteAccessKey", {**CAROL, "AccessKeyId": carol.access_keys.get().access_key_id})
    call("DeleteUser", CAROL)
    assert not any(rows.exists() for rows in everything_of(acme))


def everything_of(account: Account) -> list[Any]:
    return [
        User.objects.exclude(name="alice"),
        AccessKey.objects.exclude(user__name="alice"),
        Group.objects.all(),
        Role.objects.all(),
        InstanceProfile.objects.all(),
        ManagedPolicy.objects.filter(account=account),
    ]
