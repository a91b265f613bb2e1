"""boto3 and the AWS command line against the running server."""

import shutil
import subprocess
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from identities.models import User
from tests.api.conftest import SECRET, key_of
from tests.rig.programs import AwsFailed, Credentials, Programs


@pytest.fixture
def alices(alice: User) -> Credentials:
    return Credentials(key_of(alice).access_key_id, SECRET)


@pytest.fixture
def bobs(bob: User) -> Credentials:
    return Credentials(key_of(bob).access_key_id, SECRET)


def test_boto3_asks_who_it_is(programs: Programs, alices: Credentials, alice: User) -> None:
    assert programs.sts(alices).get_caller_identity()["Arn"] == alice.arn


def test_the_command_line_asks_who_it_is(programs: Programs, alices: Credentials, alice: User) -> None:
    assert programs.aws(alices, "sts", "get-caller-identity")["Arn"] == alice.arn


def test_the_command_line_says_why_not(programs: Programs, bobs: Credentials) -> None:
    with pytest.raises(AwsFailed, match=r"\(AccessDenied\).*is not authorized to perform: iam:ListUsers"):
        programs.aws(bobs, "iam", "list-users")


def test_boto3_knows_the_error(programs: Programs, alices: Credentials) -> None:
    iam = programs.iam(alices)
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="The user with name nobody cannot be found."):
        iam.get_user(UserName="nobody")


def test_boto3_knows_an_unknown_service(programs: Programs, alices: Credentials) -> None:
    ec2 = alices.session().client("ec2", endpoint_url=programs.endpoint)
    with pytest.raises(ClientError, match=r"\(InvalidAction\)"):
        ec2.describe_regions()
    organizations = alices.session().client("organizations", endpoint_url=programs.endpoint)
    with pytest.raises(ClientError, match=r"\(InvalidAction\)"):
        organizations.describe_organization()


@pytest.mark.sqlite
def test_the_command_line_walks_the_life_of_a_user_and_its_keys(programs: Programs, alices: Credentials) -> None:
    def aws(*words: str) -> Any:
        return programs.aws(alices, "iam", *words)

    made = aws("create-user", "--user-name", "carol", "--path", "/eng/", "--tags", "Key=team,Value=red")["User"]
    assert aws("get-user", "--user-name", "carol")["User"] == made
    key = aws("create-access-key", "--user-name", "carol")["AccessKey"]
    carols = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    assert programs.aws(carols, "sts", "get-caller-identity")["Arn"] == made["Arn"]
    words = ("--user-name", "carol", "--access-key-id", key["AccessKeyId"])
    aws("update-access-key", *words, "--status", "Inactive")
    assert aws("list-access-keys", "--user-name", "carol")["AccessKeyMetadata"][0]["Status"] == "Inactive"
    with pytest.raises(AwsFailed, match=r"\(InvalidClientTokenId\)"):
        programs.aws(carols, "sts", "get-caller-identity")
    used = aws("get-access-key-last-used", "--access-key-id", key["AccessKeyId"])
    assert (used["UserName"], used["AccessKeyLastUsed"]["ServiceName"]) == ("carol", "sts")
    aws("delete-access-key", *words)
    aws("delete-user", "--user-name", "carol")
    assert [user["UserName"] for user in aws("list-users")["Users"]] == ["alice"]


def test_boto3_pages_and_waits(programs: Programs, alices: Credentials, alice: User) -> None:
    iam = programs.iam(alices)
    for number in range(5):
        iam.create_user(UserName=f"user-{number}")
    iam.get_waiter("user_exists").wait(UserName="user-4", WaiterConfig={"Delay": 1, "MaxAttempts": 2})
    pages = list(iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 2]


def test_boto3_tells_what_was_wrong_with_the_input(programs: Programs, alices: Credentials) -> None:
    with pytest.raises(ClientError, match="Member must satisfy regular expression pattern") as failure:
        programs.iam(alices).create_user(UserName="a b")
    assert failure.value.response["Error"]["Code"] == "ValidationError"
    assert failure.value.response["ResponseMetadata"]["RequestId"]


def test_an_address_presigned_by_boto3_proves_an_identity(programs: Programs, alices: Credentials, alice: User) -> None:
    address = programs.sts(alices).generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    with urlopen(address) as answer:  # noqa: S310 - the address of the live server
        assert alice.arn in answer.read().decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    "data", [["--data", "Action=GetUser&Version=2010-05-08"], ["--data", "Action=GetUser&x=a%20b"]]
)
def test_curl_signs_as_well(programs: Programs, alices: Credentials, alice: User, data: list[str]) -> None:
    who = f"{alices.access_key_id}:{alices.secret_access_key}"
    command = ["curl", "-sS", "--aws-sigv4", "aws:amz:us-east-1:iam", "--user", who, *data, f"{programs.endpoint}/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert alice.arn in done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_signs_a_query(programs: Programs, alices: Credentials, alice: User) -> None:
    who = f"{alices.access_key_id}:{alices.secret_access_key}"
    address = f"{programs.endpoint}/?Action=GetUser&UserName=alice&Version=2010-05-08"
    command = ["curl", "-sS", "--aws-sigv4", "aws:amz:us-east-1:iam", "--user", who, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert alice.arn in done.stdout
