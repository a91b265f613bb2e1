"""A real OpenID Connect provider, the npm package oidc-provider, in front of ours: its sign-in, its tokens, and what
the SDKs make of them."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import pytest
from django.test import Client

from access.models import ConsoleSession
from accounts.models import Account
from federation import key_sets
from federation.models import OIDCProvider
from federation.oidc_client import redirect_uri
from tests.access.test_oidc_sign_in import back, begun, is_in, known, trusting
from tests.cast import allow, make_role
from tests.federation.visiting import visit
from tests.rig.programs import CONFIG, Programs
from tests.rig.served import free_port

CLIENTS = Path(__file__).resolve().parents[1] / "clients"
READY = shutil.which("node") is not None and (CLIENTS / "node_modules" / "oidc-provider").exists()
pytestmark = pytest.mark.skipif(not READY, reason="Node or its packages are missing: see `make test`.")
SECRET, VERIFIER = "quiet harbour", "a-verifier-of-at-least-forty-three-characters"


@pytest.fixture
def peer(acme: Account, settings: Any) -> Iterator[OIDCProvider]:
    """The provider, which knows the console as its client `app` and runs until the test is over."""
    settings.FEDERATION_ALLOW_LOOPBACK = True
    key_sets.forget()
    port = free_port()
    provider = known(acme, f"http://127.0.0.1:{port}")
    command = ["node", str(CLIENTS / "oidc_provider.mjs"), str(port), redirect_uri(provider), SECRET]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield provider
    finally:
        process.terminate()
        process.communicate(timeout=60)
        key_sets.forget()


def signed_in_there(address: str, name: str, home: str) -> str:
    """Where a browser goes back to: its person fills the provider's own forms in and agrees."""
    return visit(address, home, {"login": name, "password": "anything"}).address


def id_token(peer: OIDCProvider, name: str) -> str:
    """As an app gets one: it sends its person to the provider and hands the code in."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    home = redirect_uri(peer)
    words = {"client_id": "app", "response_type": "code", "scope": "openid email", "redirect_uri": home}
    asked = urlencode({**words, "code_challenge": challenge, "code_challenge_method": "S256"})
    answer = signed_in_there(f"{peer.issuer}/auth?{asked}", name, home)
    code = parse_qs(urlsplit(answer).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": home, "code_verifier": VERIFIER}
    client = base64.b64encode(f"app:{SECRET.replace(' ', '+')}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 - the provider started here
        f"{peer.issuer}/token", urlencode(form).encode(), {"Authorization": f"Basic {client}"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - the provider started here
        return str(json.load(reply)["id_token"])


@pytest.mark.bar(111)
def test_its_people_come_into_the_console(client: Client, acme: Account, peer: OIDCProvider) -> None:
    role = make_role(acme, "ops", trusting(peer))
    allow(role, "iam:ListUsers")
    answer = signed_in_there(begun(client, peer, "/identities/users/"), "jane", redirect_uri(peer))
    assert back(client, answer).headers["Location"] == "/identities/users/" and is_in(client)
    assert ConsoleSession.objects.get().is_federated
    page = client.get("/dashboard/").content.decode()
    assert "ops / jane@corp.example" in page
    assert back(Client(), answer).status_code == 403


@pytest.mark.bar(112)
def test_whom_no_role_trusts_stays_outside(client: Client, acme: Account, peer: OIDCProvider) -> None:
    make_role(acme, "ops", trusting(peer))
    reply = back(client, signed_in_there(begun(client, peer), "john", redirect_uri(peer)))
    assert reply.status_code == 403 and "No role lets john@corp.example in" in reply.content.decode()


@pytest.mark.django_db(transaction=True)
def test_boto3_takes_its_token_from_a_file(
    acme: Account, peer: OIDCProvider, programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = make_role(acme, "mobile", trusting(peer))
    (tmp_path / "token").write_text(id_token(peer, "jane"))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ROLE_ARN": role.arn,
        "AWS_ROLE_SESSION_NAME": "phone",
        "AWS_ENDPOINT_URL": programs.endpoint,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    said = boto3.Session(region_name="us-east-1").client("sts", config=CONFIG).get_caller_identity()
    assert said["Arn"] == f"arn:aws:sts::{acme.id}:assumed-role/mobile/phone"
