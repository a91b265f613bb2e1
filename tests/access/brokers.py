"""What a company's own identity broker does: it asks for a sign-in token and sends a browser with it."""

import json
from datetime import UTC, datetime

from django.test import Client

from access.assume_role import assume_role
from access.gate import PrincipalGate
from access.principals import load_for_access_key
from access.temporary_credentials import Credentials, SessionRequest
from access.user_sessions import get_federation_token
from audit.models import Event
from audit.principal import Principal
from identities.models import Role
from tests.cast import ORIGIN

PAGE, GO_ON = "/federation", "/federation/go-on/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOK = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]}'
WRONG = "These credentials do not open the console."


def federated(bobs: Principal, seconds: int = 3600) -> Credentials:
    return get_federation_token(
        by=bobs, requested=SessionRequest(name="jane", seconds=seconds, document=LOOK)
    ).credentials


def as_role(by: Principal, role: Role, seconds: int = 900) -> Credentials:
    requested = SessionRequest(name="jane", seconds=seconds)
    return assume_role(gate=PrincipalGate(by), role_arn=role.arn, requested=requested).credentials


def principal_with(made: Credentials) -> Principal:
    holder = load_for_access_key(made.access_key_id, ORIGIN, made.session_token)
    assert holder is not None
    return holder.principal()


def asked(made: Credentials, **more: str) -> dict[str, str]:
    parts = {
        "sessionId": made.access_key_id,
        "sessionKey": made.secret_access_key,
        "sessionToken": made.session_token,
    }
    return {"Action": "getSigninToken", "Session": json.dumps(parts), **more}


def token_for(made: Credentials, **more: str) -> str:
    reply = Client(enforce_csrf_checks=True).post(PAGE, asked(made, **more))
    assert reply.status_code == 200, reply.content
    return str(reply.json()["SigninToken"])


def way_in(token: str, **more: str) -> dict[str, str]:
    return {"Action": "login", "Issuer": "https://login.example/", "SigninToken": token, **more}


def why() -> str:
    return str(Event.objects.filter(outcome="Failure").latest("pk").detail["reason"])
