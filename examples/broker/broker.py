"""An identity broker: people sign in with a password that only this program knows, and land in the console.

    python broker.py add-user jane     asks for a password, and writes it to users.json as a hash
    python broker.py serve             the sign-in page, on http://127.0.0.1:8700

The standard library and boto3, no more. See README.md.
"""

import argparse
import getpass
import hashlib
import hmac
import html
import json
import os
import secrets
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3

USERS = Path(os.environ.get("BROKER_USERS", "users.json"))
CONSOLE = os.environ.get("BROKER_CONSOLE", "http://127.0.0.1:8000").rstrip("/")
HOST, PORT = os.environ.get("BROKER_HOST", "127.0.0.1"), int(os.environ.get("BROKER_PORT", "8700"))
ADDRESS = os.environ.get("BROKER_ADDRESS", f"http://{HOST}:{PORT}/")
SECONDS = 3600
LOOK = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}],
}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in at Acme</title><main><h1>Sign in at Acme</h1><p role="alert">{message}</p>
<form method="post"><p><label>Name <input name="name" autocomplete="username" required value="{name}"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<button>Sign in</button></form></main></html>"""


def hashed(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()


def users() -> dict[str, dict[str, object]]:
    return dict(json.loads(USERS.read_text())) if USERS.exists() else {}


def add_user(name: str, password: str) -> None:
    """`policy` is what the person may do in the console, within what the broker's own user may do: edit it there."""
    salt = secrets.token_hex(16)
    everybody = users() | {name: {"salt": salt, "hash": hashed(password, salt), "policy": LOOK}}
    USERS.touch(mode=0o600)
    USERS.write_text(json.dumps(everybody, indent=2))


def policy_of(name: str, password: str) -> object | None:
    """What a person may do; None for a wrong password and an unknown name alike, after the same work."""
    person = users().get(name, {"salt": "00" * 16, "hash": ""})
    right = hmac.compare_digest(hashed(password, str(person["salt"])), str(person["hash"]))
    return person["policy"] if right else None


def login_url(name: str, policy: object) -> str:
    """Temporary credentials for the person; for these a sign-in token; with that the way in. A secret: it signs in
    whoever has it, once, within 15 minutes."""
    sts = boto3.client("sts", endpoint_url=CONSOLE, region_name="us-east-1")
    made = sts.get_federation_token(Name=name, Policy=json.dumps(policy), DurationSeconds=SECONDS)["Credentials"]
    names = {"sessionId": "AccessKeyId", "sessionKey": "SecretAccessKey", "sessionToken": "SessionToken"}
    session = json.dumps({ours: made[theirs] for ours, theirs in names.items()})  # type: ignore[literal-required] # the three are there
    form = urllib.parse.urlencode({"Action": "getSigninToken", "Session": session}).encode()
    # A POST: what is in an address ends up in logs. AWS's own endpoint takes it too.
    with urllib.request.urlopen(f"{CONSOLE}/federation", data=form, timeout=10) as reply:  # noqa: S310 # our console
        token = json.load(reply)["SigninToken"]
    words = {"Action": "login", "Issuer": ADDRESS, "Destination": f"{CONSOLE}/dashboard/", "SigninToken": token}
    return f"{CONSOLE}/federation?{urllib.parse.urlencode(words)}"


class Broker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(200, PAGE.format(message="", name=""))

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), 4096)
        form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode(errors="replace")))
        name = form.get("name", "")
        policy = policy_of(name, form.get("password", ""))
        if policy is None:
            return self.answer(403, PAGE.format(message="That name and password don't match.", name=html.escape(name)))
        return self.answer(302, "", Location=login_url(name, policy))

    def answer(self, status: int, body: str, **headers: str) -> None:
        self.send_response(status)
        safe = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "X-Frame-Options": "DENY"}
        for key, value in {**safe, **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body.encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A small identity broker")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add-user").add_argument("name")
    commands.add_parser("serve")
    asked = parser.parse_args()
    if asked.command == "add-user":
        add_user(asked.name, getpass.getpass())
    else:
        server = ThreadingHTTPServer((HOST, PORT), Broker)
        print(f"The broker is at {ADDRESS}", flush=True)
        server.serve_forever()
