"""Documents to start from, so that nobody faces an empty field. Names are what the address carries."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Starter:
    key: str
    title: str
    document: str


def _starter(key: str, title: str, *statements: dict[str, Any]) -> Starter:
    return Starter(key, title, json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2))


_SELF = ["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"]

STARTERS = (
    _starter(
        "blank",
        "One statement to fill in",
        {"Sid": "Describe", "Effect": "Allow", "Action": ["iam:GetUser"], "Resource": ["*"]},
    ),
    _starter(
        "see-users",
        "See users and groups, change nothing",
        {"Sid": "See", "Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
    ),
    _starter(
        "own-keys",
        "Manage one's own access keys",
        {
            "Sid": "OwnKeys",
            "Effect": "Allow",
            "Action": ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys", "iam:UpdateAccessKey"],
            "Resource": _SELF,
        },
    ),
    _starter(
        "one-group",
        "Manage the members of one group",
        {
            "Sid": "Members",
            "Effect": "Allow",
            "Action": ["iam:GetGroup", "iam:AddUserToGroup", "iam:RemoveUserFromGroup"],
            "Resource": "arn:aws:iam::*:group/NAME",
        },
        {"Sid": "Find", "Effect": "Allow", "Action": ["iam:ListGroups", "iam:ListUsers"], "Resource": "*"},
    ),
    _starter(
        "bounded-users",
        "Create users, but only under a boundary",
        {
            "Sid": "BoundedUsers",
            "Effect": "Allow",
            "Action": ["iam:CreateUser", "iam:PutUserPermissionsBoundary", "iam:AttachUserPolicy"],
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::ACCOUNT:policy/BOUNDARY"}},
        },
    ),
    _starter(
        "deny-without-mfa",
        "Deny nearly everything without MFA",
        {
            "Sid": "OnlyWithMFA",
            "Effect": "Deny",
            "NotAction": [
                "iam:ChangePassword",
                "iam:CreateVirtualMFADevice",
                "iam:EnableMFADevice",
                "iam:GetUser",
                "iam:ListMFADevices",
                "iam:ListVirtualMFADevices",
                "iam:ResyncMFADevice",
            ],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
    ),
    _starter(
        "read-bucket",
        "Read one bucket",
        {"Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::BUCKET"},
        {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/*"},
    ),
)


def starter(key: str) -> str:
    """The document of that name; the first one for a name that is not there."""
    return next((each.document for each in STARTERS if each.key == key), STARTERS[0].document)
