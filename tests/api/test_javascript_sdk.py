"""The AWS SDK for JavaScript: what it signs, and what it makes of the running console."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from api import sigv4
from api.wire import WireRequest
from identities.models import Group, Role, User
from policies.models import ManagedPolicy
from tests.api.conftest import SECRET as KEY_SECRET
from tests.api.conftest import key_of
from tests.api.signing import KEY_ID, SECRET, TOKEN, now
from tests.rig.programs import Credentials, Programs

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
READY = shutil.which("node") is not None and (CLIENTS / "node_modules").exists()
pytestmark = pytest.mark.skipif(not READY, reason="Node or its packages are missing: see `make test`.")

BODY = "Action=GetCallerIdentity&Version=2011-06-15"
PATHS = ["/", "/a/b", "/a b", "/a//b/", "/a/./b/../c", "/ሴ", "/~-_.,:;=@", "/a%2Fb", "/!'()*", "/a+b", "/%"]
QUERIES: list[dict[str, Any]] = [
    {"b": "2", "a": "1"},
    {"a": ["1", "0", "1"]},
    {"a": "", "b": ""},
    {"a": "b=c&d"},
    {"a": "x y+z %2B"},
    {"a-": "1", "a": "2", "A": "3"},
    {"q": "€", "t": "a:b/c?d", "!'()*": "!'()*"},
]
HEADERS = ["  both  ends ", "a   b    c", "comma, and = sign", ""]


def sign(requests: list[dict[str, Any]], token: str | None = None) -> list[WireRequest]:
    """The requests as the SDK would send them."""
    credentials = {"accessKeyId": KEY_ID, "secretAccessKey": SECRET, **({"sessionToken": token} if token else {})}
    whole = [{"protocol": "http:", "hostname": "127.0.0.1", **request} for request in requests]
    words = json.dumps({"credentials": credentials, "requests": whole})
    command = ["node", str(CLIENTS / "sign.mjs"), words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [wire(each) for each in json.loads(done.stdout)]


def wire(signed: dict[str, Any]) -> WireRequest:
    path, query, body = (signed[name].encode() for name in ("path", "query", "body"))
    return WireRequest(signed["method"], path, query, tuple(signed["headers"].items()), body)


def request(**facts: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/", "query": {}, "headers": {"host": "127.0.0.1"}, "body": BODY, **facts}


def proven(signed: WireRequest) -> bool:
    sigv4.verify(sigv4.parse(signed), SECRET, now())
    return True


@pytest.mark.bar(81)
@pytest.mark.parametrize("token", [None, TOKEN])
def test_what_it_signs_is_proven(token: str | None) -> None:
    asked = [request(path=path) for path in PATHS]
    asked += [request(method="GET", query=query, body="") for query in QUERIES]
    asked += [request(headers={"host": "127.0.0.1", "x-amz-meta": text, "x-other": text}) for text in HEADERS]
    asked += [request(body=body) for body in ("", "a=ü", "\x00\r\n")]
    signed = sign(asked, token)
    assert len(signed) == len(asked)
    assert all(proven(each) for each in signed)


@pytest.mark.bar(81)
@pytest.mark.parametrize("token", [None, TOKEN])
def test_what_it_presigns_is_proven(token: str | None) -> None:
    asked = [request(method="GET", query=query, body="", presign=True, expiresIn=60) for query in QUERIES]
    assert all(proven(each) for each in sign(asked, token))


def test_it_walks_the_life_of_everything(programs: Programs, alice: User) -> None:
    key = Credentials(key_of(alice).access_key_id, KEY_SECRET)
    seen = programs.node(key, CLIENTS / "life.mjs")
    assert seen == {
        "caller": alice.arn,
        "user": {"arn": "arn:aws:iam::111122223333:user/js/jules", "date": True, "tag": "ré d + @x"},
        "twice": "EntityAlreadyExistsException",
        "own": "arn:aws:iam::111122223333:user/js/jules",
        "document": "s3:GetObject",
        "inUse": "DeleteConflictException",
        "profile": "js-role",
        "pages": [2, 2, 2, 1],
        "gone": ["NoSuchEntityException"] * 4,
    }
    own_policies = ManagedPolicy.objects.filter(account=alice.account)
    left = (User.objects.filter(name="jules"), Group.objects, Role.objects, own_policies)
    assert not any(rows.exists() for rows in left)
