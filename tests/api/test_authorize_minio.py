"""MinIO's access management plugin."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from access.route_tables import create_route_table, rotate_route_table_token
from audit.models import Event
from identities.models import User
from tests.api.conftest import key_of
from tests.cast import allow, principal_of


@pytest.fixture
def token(alice: User) -> str:
    table = create_route_table(by=principal_of(alice), name="minio", signing_name="s3", routes="")
    return rotate_route_table_token(by=principal_of(alice), table=table)


def ask(token: str, **given: Any) -> Any:
    asked: dict[str, Any] = {
        "account": "bob",
        "groups": None,
        "action": "s3:GetObject",
        "bucket": "photos",
        "object": "a/b.png",
    }
    asked |= {"owner": False, "claims": {}, "denyOnly": False, "conditions": {"SourceIp": ["203.0.113.9"]}}
    body = json.dumps({"input": {**asked, **given}})
    headers = {"Authorization": f"Bearer {token}"}
    return Client().post("/authorize/minio", body, content_type="application/json", headers=headers)


def test_it_lets_a_user_do_what_the_policies_say(token: str, bob: User) -> None:
    allow(bob, "s3:GetObject", "arn:aws:s3:::photos/a/*")
    assert ask(token).json() == {"result": True}
    assert ask(token, object="c.png").json() == {"result": False}
    assert ask(token, account="nobody").json() == {"result": False}
    assert Event.objects.get(action="s3:GetObject").principal_arn == bob.arn


def test_it_knows_access_keys_and_the_parents_of_minios_own(token: str, bob: User, mallory: User) -> None:
    allow(bob, "s3:ListBucket", "arn:aws:s3:::photos")
    facts = {"action": "s3:ListBucket", "object": ""}
    assert ask(token, account=key_of(bob).access_key_id, **facts).json() == {"result": True}
    assert ask(token, account="Q3AM3UQ867", claims={"parent": "bob"}, **facts).json() == {"result": True}
    assert ask(token, account=key_of(mallory).access_key_id, **facts).json() == {"result": False}


def limited_to(*actions: str) -> dict[str, str]:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::photos/*"}],
    }
    return {"parent": "bob", "sessionPolicy": base64.b64encode(json.dumps(document).encode()).decode()}


def test_a_key_made_in_minio_is_held_to_the_policy_that_it_was_made_with(token: str, bob: User) -> None:
    allow(bob, "s3:*")
    reading = {"account": "Q3AM3UQ867", "claims": limited_to("s3:GetObject")}
    assert ask(token, **reading).json() == {"result": True}
    assert ask(token, action="s3:DeleteObject", **reading).json() == {"result": False}
    assert ask(token, account="Q3AM3UQ867", claims=limited_to("iam:ListUsers", "s3:PutObject")).json() == {
        "result": False
    }
    assert ask(token, owner=True, claims=limited_to("s3:GetObject")).json() == {"result": False}


@pytest.mark.parametrize("policy", ["", "{", "bm90IEpTT04=", 7, None, "e30=", "é"])
def test_a_policy_of_a_key_that_can_not_be_read_opens_nothing(token: str, bob: User, policy: Any) -> None:
    allow(bob, "s3:*")
    reply = ask(token, account="Q3AM3UQ867", claims={"parent": "bob", "sessionPolicy": policy})
    assert (reply.status_code, "result" in reply.json()) == (400, False)


def test_a_key_made_in_minio_is_its_parents_whatever_it_is_called(token: str, alice: User, bob: User) -> None:
    allow(alice, "s3:*")
    for name in ("alice", key_of(alice).access_key_id):
        assert ask(token, account=name).json() == {"result": True}
        for parent in ("bob", "nobody", "", None):
            assert ask(token, account=name, claims={"parent": parent}).json() == {"result": False}


def test_minios_root_is_ours(token: str) -> None:
    assert ask(token, account="minioadmin", owner=True).json() == {"result": True}


def test_deny_only_looks_for_a_deny(token: str, bob: User) -> None:
    assert ask(token, denyOnly=True).json() == {"result": True}
    allow(bob, "s3:*", Effect="Deny")
    assert ask(token, denyOnly=True).json() == {"result": False}


def test_conditions_are_s3s(token: str, bob: User) -> None:
    allow(bob, "s3:ListBucket", Condition={"StringEquals": {"s3:prefix": "home/"}})
    facts = {"action": "s3:ListBucket", "object": ""}
    assert ask(token, conditions={"prefix": ["home/"]}, **facts).json() == {"result": True}
    assert ask(token, conditions={"prefix": [""]}, **facts).json() == {"result": False}
    allow(bob, "s3:ListBucket", Condition={"StringEquals": {"aws:username": "alice"}})
    assert ask(token, conditions={"username": ["alice"]}, **facts).json() == {"result": False}


DENIED_UNLESS = [
    {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"StringNotLike": {"s3:prefix": "home/*"}},
    {"StringNotEquals": {"s3:signatureversion": "AWS4-HMAC-SHA256"}},
]


@pytest.mark.bar(71)
@pytest.mark.parametrize("condition", DENIED_UNLESS)
def test_what_a_client_appends_to_the_facts_does_not_count(token: str, bob: User, condition: Any) -> None:
    """MinIO hands on ?SourceIp=10.0.0.1 as a second value of what it knows itself."""
    allow(bob, "s3:ListBucket")
    allow(bob, "s3:ListBucket", name="denied", Effect="Deny", Condition=condition)
    known = {"SourceIp": "203.0.113.9", "SecureTransport": "false", "prefix": "else/", "signatureversion": "AWS"}
    appended = {"SourceIp": "10.0.0.1", "SecureTransport": "true", "prefix": "home/"}
    appended["signatureversion"] = "AWS4-HMAC-SHA256"
    facts = {"action": "s3:ListBucket", "object": ""}
    good = {name: [value] for name, value in appended.items()}
    assert ask(token, conditions=good, **facts).json() == {"result": True}
    mixed = {name: [known[name], appended[name]] for name in known}
    assert ask(token, conditions=mixed, **facts).json() == {"result": False}


def test_keys_of_tags_are_many(token: str, bob: User) -> None:
    allow(bob, "s3:PutObject", Condition={"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}})
    for keys, allowed in ((["a", "b"], True), (["a", "c"], False)):
        reply = ask(token, action="s3:PutObject", conditions={"RequestObjectTagKeys": keys})
        assert reply.json() == {"result": allowed}


def test_the_look_at_start_up_is_answered(token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    reply = Client().post("/authorize/minio", b"", content_type="application/json", headers=headers)
    assert (reply.status_code, reply.json()) == (200, {"result": False})


@pytest.mark.parametrize("wrong", ["", "guess"])
def test_it_requires_the_token(token: str, bob: User, wrong: str) -> None:
    allow(bob, "s3:*")
    reply = ask(wrong)
    assert reply.status_code == 403 and "result" not in reply.json()


@pytest.mark.parametrize("body", ["x", "[]", "{}", '{"input":1}', '{"input":{"account":"bob"}}'])
def test_what_it_can_not_read_it_refuses(token: str, bob: User, body: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    reply = Client().post("/authorize/minio", body, content_type="application/json", headers=headers)
    assert reply.status_code == 400


@pytest.mark.parametrize(
    "facts",
    [
        {"account": "\ud800"},
        {"account": "bob\0"},
        {"object": "\0\ud800"},
        {"conditions": {"SourceIp": ["\ud800"], "UserAgent": ["\0"], "\udfff": ["\0"]}},
        {"conditions": {"SourceIp": ["1" * 5000]}},
    ],
)
def test_texts_of_strangers_break_nothing(token: str, bob: User, facts: dict[str, Any]) -> None:
    reply = ask(token, **facts)
    assert (reply.status_code, reply.json()) == (200, {"result": False})
