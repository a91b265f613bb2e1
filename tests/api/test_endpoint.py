"""The endpoint as a whole: what it answers to, and how it says no."""

import json
import logging
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.test import Client

from api import registry
from audit.models import Event
from identities.models import User
from tests.api.conftest import SECRET, ProgramOf, key_of
from tests.api.program import FORM, Program, Refused, xml

IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"


def error_of(response: Any) -> tuple[int, str, str]:
    """Status, code and message; fails on anything that is not the XML of an error."""
    assert response.headers["Content-Type"] == "text/xml"
    root = xml(response.content)
    assert root.findtext("{*}RequestId") == response.headers["x-amzn-RequestId"] != ""
    return response.status_code, root.findtext("{*}Error/{*}Code") or "", root.findtext("{*}Error/{*}Message") or ""


def presigned_address(key_id: str, query: str, expires: int = 60) -> str:
    request = AWSRequest("GET", f"http://testserver/?{query}")
    SigV4QueryAuth(Credentials(key_id, SECRET), "sts", "us-east-1", expires).add_auth(request)
    return f"/?{urlsplit(str(request.url)).query}"


def test_a_browser_goes_to_the_dashboard(client: Client, db: None) -> None:
    response = client.get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/dashboard/")


@pytest.mark.bar(81)
def test_an_unsigned_call_is_refused_in_xml(client: Client, db: None) -> None:
    assert error_of(client.post("/", {"Action": "ListUsers"}))[:2] == (403, "MissingAuthenticationToken")
    assert error_of(client.get("/?Action=ListUsers&Version=2010-05-08"))[1] == "MissingAuthenticationToken"


def test_a_presigned_address_proves_who_made_it(client: Client, alice: User) -> None:
    address = presigned_address(key_of(alice).access_key_id, IDENTITY)
    response = client.get(address, headers={"Host": "testserver"})
    assert response.status_code == 200
    assert alice.arn.encode() in response.content


@pytest.mark.bar(81)
def test_a_presigned_address_with_a_parameter_more_is_refused(client: Client, alice: User) -> None:
    address = presigned_address(key_of(alice).access_key_id, IDENTITY)
    response = client.get(f"{address}&UserName=bob", headers={"Host": "testserver"})
    assert error_of(response)[:2] == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("service", "body", "code"),
    [
        ("iam", "Action=MakeCoffee&Version=2010-05-08", "InvalidAction"),
        ("iam", "Action=GetUser&Version=2011-06-15", "InvalidAction"),
        ("iam", IDENTITY, "InvalidAction"),
        ("sts", "Action=GetUser&Version=2010-05-08", "InvalidAction"),
        ("iam", "Version=2010-05-08", "MissingAction"),
        ("iam", "Colour=blue", "MissingAction"),
        ("iam", "Action=GetUser&Action=ListUsers", "MalformedQueryString"),
        ("iam", "Action=%FF", "MalformedQueryString"),
        ("ec2", "Action=DescribeRegions&Version=2016-11-15", "InvalidAction"),
    ],
)
def test_what_it_does_not_know_it_refuses_in_xml(
    program_of: ProgramOf, alice: User, service: str, body: str, code: str
) -> None:
    assert error_of(program_of(alice).post(service, body))[:2] == (400, code)


def test_services_that_speak_json_are_refused_in_json(program_of: ProgramOf, alice: User) -> None:
    response = program_of(alice).post("organizations", "{}", **{"Content-Type": "application/x-amz-json-1.1"})
    assert response.status_code == 400
    assert json.loads(response.content)["__type"] == "InvalidAction"


def test_a_version_may_be_left_out(program_of: ProgramOf, alice: User) -> None:
    assert program_of(alice).post("iam", "Action=GetUser").status_code == 200


def test_the_request_id_is_the_audit_trails(program_of: ProgramOf, bob: User) -> None:
    response = program_of(bob, address="192.0.2.7").post("iam", "Action=ListUsers")
    event = Event.objects.get(action="iam:ListUsers")
    assert event.request_id == response.headers["x-amzn-RequestId"]
    assert (event.outcome, event.door, event.address) == ("Denied", "api", "192.0.2.7")
    assert (event.principal_arn, event.error_code) == (bob.arn, "AccessDenied")


@pytest.mark.bar(127)
def test_a_denial_does_not_tell_what_exists(program_of: ProgramOf, alice: User, bob: User) -> None:
    User.objects.filter(pk=alice.pk).update(path="/engineering/")
    program = program_of(bob)
    with pytest.raises(Refused) as there:
        program.iam("GetUser", UserName="alice")
    with pytest.raises(Refused) as nowhere:
        program.iam("GetUser", UserName="nobody")
    assert there.value.message.replace("alice", "nobody") == nowhere.value.message
    assert nowhere.value.message == (
        f"User: {bob.arn} is not authorized to perform: iam:GetUser on resource: arn:aws:iam::111122223333:user/nobody "
        "because no identity-based policy allows the iam:GetUser action"
    )


@pytest.mark.bar(126)
def test_of_a_fault_the_caller_learns_the_request_id_only(
    program_of: ProgramOf, alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    password = "hunter" + "2"

    def fail(call: registry.Call) -> None:
        raise RuntimeError(f"the password is {password}")

    broken = registry.Action("iam:GetUser", fail, None, lambda call: {})
    monkeypatch.setitem(registry._ACTIONS, "iam:GetUser", broken)
    with caplog.at_level(logging.ERROR, "api"):
        response = program_of(alice).post("iam", "Action=GetUser")
    status, code, message = error_of(response)
    assert (status, code) == (500, "InternalFailure")
    assert response.headers["x-amzn-RequestId"] in message
    assert password not in response.content.decode() + caplog.text
    assert "RuntimeError" in caplog.text and "in fail" in caplog.text


@pytest.mark.bar(129)
def test_a_call_that_is_too_large_is_refused_in_xml(program_of: ProgramOf, alice: User) -> None:
    response = program_of(alice).post("iam", "Action=GetUser&Filler=" + "x" * 1024 * 1024)
    assert error_of(response)[:2] == (413, "RequestEntityTooLarge")


@pytest.mark.bar(131)
def test_a_call_to_a_wrong_host_is_refused_in_xml(client: Client, db: None) -> None:
    response = client.post("/", "Action=GetUser", content_type=FORM, headers={"Host": "evil.example"})
    assert error_of(response)[:2] == (400, "MalformedRequest")


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused_in_xml(client: Client, db: None, method: str) -> None:
    assert error_of(getattr(client, method)("/"))[:2] == (403, "MissingAuthenticationToken")


@pytest.mark.bar(45)
def test_a_call_needs_no_csrf_token_since_it_reads_no_cookie(alice: User) -> None:
    program = Program(key_of(alice).access_key_id, SECRET)
    sent = program.signed("sts", IDENTITY)
    client = Client(enforce_csrf_checks=True)
    headers = {name: value for name, value in sent.items() if name != "Content-Type"}
    assert client.post("/", IDENTITY.encode(), content_type=sent["Content-Type"], headers=headers).status_code == 200


def test_answers_are_never_cached(program_of: ProgramOf, alice: User) -> None:
    assert program_of(alice).post("sts", IDENTITY).headers["Cache-Control"] == "no-store"


def test_it_registers_an_action_once_only() -> None:
    with pytest.raises(ValueError, match="twice"):
        registry.action("iam:GetUser", resource="*")(lambda call: None)


@pytest.mark.parametrize("path", ["/x", "/iam/", "/x?Action=ListUsers"])
def test_a_program_at_a_wrong_address_reads_xml(program_of: ProgramOf, alice: User, client: Client, path: str) -> None:
    signed = program_of(alice).signed("iam", IDENTITY)
    headers = {name: value for name, value in signed.items() if name != "Content-Type"}
    for response in (
        client.post(path, IDENTITY.encode(), content_type=FORM, headers=headers),
        client.post(path, IDENTITY.encode(), content_type=FORM),
        client.get(path, headers=headers),
    ):
        assert error_of(response)[:2] == (404, "UnknownOperationException")


def test_people_at_a_wrong_address_read_a_page(client: Client, db: None) -> None:
    wishes: tuple[dict[str, str], ...] = ({"Accept": "text/html,*/*;q=0.8"}, {"HX-Request": "true"})
    for requested in wishes:
        response = client.post("/x", b"name=x", content_type=FORM, headers=requested)
        assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert client.get("/x").headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Action=TagUser&UserName=alice&Tags=x", "Unexpected list element termination"),
        ("Action=TagUser&UserName=alice&Tags.member.1=x", "Unexpected complex element termination"),
        ("Action=TagUser&UserName=alice&Tags.1.Key=a&Tags.1.Value=b", "Top level element may not be treated as a list"),
        ("Action=UntagUser&UserName=alice&TagKeys=x", "Unexpected list element termination"),
        ("Action=GetUser&UserName.member.1=alice", "Start of list found where not expected"),
        ("Action=GetUser&UserName.First=alice", "Start of structure or map found where not expected."),
    ],
)
def test_what_has_another_form_than_is_meant_is_no_empty_list(
    program_of: ProgramOf, alice: User, body: str, message: str
) -> None:
    response = program_of(alice).post("iam", f"{body}&Version=2010-05-08")
    assert error_of(response) == (400, "MalformedInput", message)


def test_an_empty_list_is_written_as_an_empty_text(program_of: ProgramOf, alice: User) -> None:
    response = program_of(alice).post("iam", "Action=UntagUser&UserName=alice&TagKeys=&Version=2010-05-08")
    assert response.status_code == 200
