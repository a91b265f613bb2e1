"""POST /authorize: who signed the request that a service got, and may they."""

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from identities.models import User, UserTag
from tests.api.conftest import SECRET, key_of
from tests.cast import allow, make_user

ORDER = "arn:aws:orders::111122223333:order/7"


def signed(
    key_id: str, url: str, *, method: str = "GET", body: bytes = b"", service: str = "orders", declared: str = ""
) -> AWSRequest:
    """What a client sends; `declared` is the hash of its body in a header."""
    request = AWSRequest(method, url, data=body)
    request.headers["Host"] = urlsplit(url).netloc
    if declared:
        request.headers["X-Amz-Content-SHA256"] = declared
    SigV4Auth(Credentials(key_id, SECRET), service, "us-east-1").add_auth(request)
    return request


def told(request: AWSRequest, body: bytes = b"") -> dict[str, Any]:
    """What the service says of the request that it got."""
    parts = urlsplit(request.url)
    return {
        "Method": request.method,
        "Path": parts.path,
        "Query": parts.query,
        "Headers": dict(request.headers.items()),
        "PayloadHash": hashlib.sha256(body).hexdigest(),
    }


@pytest.fixture
def service(alice: User) -> str:
    """The key of a service that may ask."""
    user = make_user(alice.account, "orders-service", console=False)
    allow(user, "iam:Authorize")
    return key_of(user).access_key_id


@pytest.fixture
def bobs(bob: User) -> str:
    allow(bob, "orders:GetOrder", ORDER)
    return key_of(bob).access_key_id


def post(key_id: str, asked: object) -> Any:
    body = json.dumps(asked).encode()
    request = AWSRequest("POST", "http://testserver/authorize", data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(key_id, SECRET), "iam", "us-east-1").add_auth(request)
    headers = {name: value for name, value in request.headers.items() if name != "Content-Type"}
    return Client().post("/authorize", body, content_type="application/json", headers={**headers, "Host": "testserver"})


def ask(key_id: str, request: AWSRequest, body: bytes = b"", **more: Any) -> dict[str, Any]:
    question = {"Request": told(request, body), "Service": "orders", "Action": "orders:GetOrder", "Resource": ORDER}
    reply = post(key_id, {**question, **more})
    assert reply.status_code == 200, reply.content
    answer: dict[str, Any] = reply.json()
    return answer


def test_it_says_who_it_is_and_that_they_may(service: str, bobs: str, bob: User) -> None:
    answer = ask(service, signed(bobs, "https://api.example.com/orders/7?x=%20&y"))
    assert answer["Decision"] == "Allow"
    assert (answer["Principal"]["Arn"], answer["Principal"]["UserId"]) == (bob.arn, bob.unique_id)
    assert answer["Principal"]["AccessKeyId"] == bobs


def test_it_says_no_and_why(service: str, bobs: str, bob: User) -> None:
    answer = ask(service, signed(bobs, "https://api.example.com/orders/8"), Resource=ORDER[:-1] + "8")
    assert answer["Decision"] == "Deny"
    assert answer["Reason"] == (
        f"User: {bob.arn} is not authorized to perform: orders:GetOrder on resource: {ORDER[:-1]}8 "
        "because no identity-based policy allows the orders:GetOrder action"
    )
    event = Event.objects.get(action="orders:GetOrder")
    assert (event.principal_arn, event.outcome, event.detail["asked_by"][-14:]) == (bob.arn, "Denied", "orders-service")


def test_a_body_is_covered_by_the_hash_that_the_service_made(service: str, bobs: str) -> None:
    request = signed(bobs, "https://api.example.com/orders/7", method="PUT", body=b"{}")
    assert ask(service, request, b"{}")["Decision"] == "Allow"
    refused = ask(service, request, b"{ }")
    assert (refused["Decision"], refused["Error"]["Code"]) == ("Deny", "SignatureDoesNotMatch")


@pytest.mark.bar(81)
@pytest.mark.parametrize(
    "change",
    [{"Path": "/orders/8"}, {"Query": "admin=1"}, {"Method": "DELETE"}],
)
def test_what_was_not_signed_is_nobodys(service: str, bobs: str, change: dict[str, str]) -> None:
    request = told(signed(bobs, "https://api.example.com/orders/7")) | change
    answer = ask(service, signed(bobs, "https://api.example.com/orders/7"), Request=request)
    assert (answer["Decision"], answer["Error"]["Code"]) == ("Deny", "SignatureDoesNotMatch")


def test_a_signature_for_another_service_is_none(service: str, bobs: str) -> None:
    answer = ask(service, signed(bobs, "https://api.example.com/orders/7", service="iam"))
    assert answer["Error"]["Code"] == "SignatureDoesNotMatch"


@pytest.mark.bar(127)
def test_people_of_another_account_are_unknown(service: str, mallory: User) -> None:
    key = key_of(mallory).access_key_id
    answer = ask(service, signed(key, "https://api.example.com/orders/7"))
    unknown = ask(service, signed("AKIAIOSFODNN7EXAMPLE", "https://api.example.com/orders/7"))
    assert answer == unknown
    assert answer["Error"]["Code"] == "InvalidClientTokenId"


@pytest.mark.bar(59)
def test_it_requires_permission(bobs: str, bob: User) -> None:
    reply = post(bobs, {})
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "AccessDenied")
    assert Event.objects.get(action="iam:Authorize").outcome == "Denied"


def test_it_requires_a_signature(client: Client, db: None) -> None:
    reply = client.post("/authorize", "{}", content_type="application/json")
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (403, "MissingAuthenticationToken")


def test_conditions_see_the_callers_circumstances_and_not_the_services(service: str, bobs: str, bob: User) -> None:
    allow(bob, "orders:GetOrder", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    request = signed(bobs, "https://api.example.com/orders/7")
    assert ask(service, request)["Decision"] == "Deny"
    assert ask(service, request, Context={"aws:sourceip": "203.0.113.9"})["Decision"] == "Allow"
    assert ask(service, request, Context={"aws:SourceIp": "198.51.100.9"})["Decision"] == "Deny"


@pytest.mark.parametrize(
    "key",
    ["aws:PrincipalArn", "AWS:username", "aws:PrincipalTag/team", "aws:MultiFactorAuthPresent", "aws:CurrentTime"],
)
def test_what_is_ours_to_know_nobody_may_say(service: str, bobs: str, key: str) -> None:
    request = signed(bobs, "https://api.example.com/orders/7")
    question = {"Request": told(request), "Service": "orders", "Action": "orders:GetOrder", "Resource": ORDER}
    reply = post(service, {**question, "Context": {key: "x"}})
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (400, "ValidationError")


def test_an_explanation_takes_a_permission(service: str, bobs: str) -> None:
    request = signed(bobs, "https://api.example.com/orders/7")
    assert "Explanation" not in ask(service, request, Explain=True)
    user = User.objects.get(name="orders-service")
    allow(user, "iam:SimulatePrincipalPolicy", name="explain")
    explained = ask(service, request, Explain=True)["Explanation"]
    assert explained["Statements"][0]["Policy"] == "allowed"


def test_an_explanation_may_be_kept_back_by_a_tag(service: str, bobs: str, bob: User) -> None:
    UserTag.objects.create(user=bob, key="class", value="secret")
    user = User.objects.get(name="orders-service")
    allow(user, "iam:SimulatePrincipalPolicy", name="explain")
    hidden = {"StringEquals": {"aws:ResourceTag/class": "secret"}}
    allow(user, "iam:SimulatePrincipalPolicy", name="hidden", Effect="Deny", Condition=hidden)
    request = signed(bobs, "https://api.example.com/orders/7")
    assert "Explanation" not in ask(service, request, Explain=True)


@pytest.mark.bar(68)
def test_an_explanation_tells_of_policies_and_tags_what_the_service_may_read(
    service: str, bobs: str, bob: User
) -> None:
    UserTag.objects.create(user=bob, key="level", value="probation")
    allow(bob, "orders:GetOrder", Condition={"StringEquals": {"aws:PrincipalTag/level": "trusted"}})
    user, request = User.objects.get(name="orders-service"), signed(bobs, "https://api.example.com/orders/7")
    allow(user, "iam:SimulatePrincipalPolicy", name="explain")
    assert ask(service, request, Explain=True)["Explanation"]["NearMisses"] == []
    allow(user, "iam:GetUserPolicy", name="read")
    (miss,) = ask(service, request, Explain=True)["Explanation"]["NearMisses"]
    assert (miss["Wanted"], miss["Found"]) == (["trusted"], ["(not shown)"])
    allow(user, "iam:GetUser", name="see")
    (miss,) = ask(service, request, Explain=True)["Explanation"]["NearMisses"]
    assert miss["Found"] == ["probation"]


def test_a_thousand_questions_take_few_queries(service: str, bobs: str) -> None:
    question = {"Action": "orders:GetOrder"}
    resources = [ORDER[:-1] + str(number) for number in range(1000)]
    batch = {
        "Service": "orders",
        "Request": told(signed(bobs, "https://api.example.com/orders")),
        "Requests": [{**question, "Resource": resource} for resource in resources],
    }
    with CaptureQueriesContext(connection) as queries:
        reply = post(service, batch)
    results = reply.json()["Results"]
    assert [number for number, result in enumerate(results) if result["Decision"] == "Allow"] == [7]
    assert len(queries) <= 8
    assert Event.objects.get(action="iam:Authorize").detail == {"asked": 1000, "denied": 999}


@pytest.mark.bar(129)
@pytest.mark.parametrize(
    "asked",
    [
        [],
        "text",
        {"Requests": []},
        {"Requests": [{}] * 1001},
        {"Requests": [1]},
        {"Request": {}},
        {"Request": {"Headers": {"Host": 1}}},
        {"Request": {"Headers": {}, "Method": "get"}},
        {"Request": {"Headers": {}, "Method": "GET", "Path": "x"}},
        {"Request": {"Headers": {}, "Method": "GET", "PayloadHash": "x"}},
        {"Request": {"Headers": {}, "Method": "GET"}, "Service": "a b"},
        {"Request": {"Headers": {}, "Method": "GET"}, "Service": "a", "Action": "a:*"},
        {"Request": {"Headers": {}, "Method": "GET"}, "Service": "a", "Action": "a:B", "Resource": "x"},
        {"Request": {"Headers": {}, "Method": "GET"}, "Service": "a", "Action": "a:B", "Resource": "*", "Context": 1},
    ],
)
def test_what_is_no_question_is_refused(service: str, asked: object) -> None:
    reply = post(service, asked)
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (400, "ValidationError")


def test_deep_nesting_is_refused(service: str) -> None:
    body = b"[" * 50_000
    request = AWSRequest("POST", "http://testserver/authorize", data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(service, SECRET), "iam", "us-east-1").add_auth(request)
    headers = {name: value for name, value in request.headers.items() if name != "Content-Type"} | {
        "Host": "testserver"
    }
    reply = Client().post("/authorize", body, content_type="application/json", headers=headers)
    assert reply.json()["Error"]["Code"] == "ValidationError"


def test_a_refusal_that_holds_texts_of_strangers_is_recorded(service: str, bobs: str, bob: User) -> None:
    allow(bob, "orders:CancelOrder", Condition={"StringEquals": {"orders:note": "fine"}})
    context = {"orders:note": "\0 é \udfff", "aws:SourceIp": "no address, and longer than one can be " * 9}
    request = signed(bobs, "https://api.example.com/orders/7")
    order = "arn:aws:orders:::\ud800\0"
    answer = ask(service, request, Action="orders:CancelOrder", Resource=order, Context=context)
    assert answer["Decision"] == "Deny"
    event = Event.objects.get(action="orders:CancelOrder")
    assert event.address == "" and "\N{REPLACEMENT CHARACTER} é \N{REPLACEMENT CHARACTER}" in str(event.explanation)
