"""Temporary credentials in the forms in which programs read them."""

import json
from dataclasses import dataclass

from access.temporary_credentials import Credentials

_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Form:
    """One way of handing credentials to a program."""

    id: str
    title: str
    hint: str
    text: str


def forms_of(made: Credentials, *, role_name: str, endpoint: str) -> tuple[Form, ...]:
    """As environment variables, as a profile, and as JSON (what `credential_process` prints)."""
    return (
        Form("environment", "Environment variables", "Paste into a terminal.", _environment(made, endpoint)),
        Form("profile", "Profile", "Append to ~/.aws/credentials.", _profile(made, role_name, endpoint)),
        Form("json", "JSON", "As a credential_process prints it.", _json(made)),
    )


def _environment(made: Credentials, endpoint: str) -> str:
    values = {
        "AWS_ACCESS_KEY_ID": made.access_key_id,
        "AWS_SECRET_ACCESS_KEY": made.secret_access_key,
        "AWS_SESSION_TOKEN": made.session_token,
        "AWS_ENDPOINT_URL": endpoint,
    }
    return "\n".join(f"export {name}='{value}'" for name, value in values.items())


def _profile(made: Credentials, role_name: str, endpoint: str) -> str:
    lines = [
        f"[{role_name}]",
        f"aws_access_key_id = {made.access_key_id}",
        f"aws_secret_access_key = {made.secret_access_key}",
        f"aws_session_token = {made.session_token}",
        f"endpoint_url = {endpoint}",
    ]
    return "\n".join(lines)


def _json(made: Credentials) -> str:
    content = {
        "Version": 1,
        "AccessKeyId": made.access_key_id,
        "SecretAccessKey": made.secret_access_key,
        "SessionToken": made.session_token,
        "Expiration": made.expires_at.strftime(_TIME),
    }
    return json.dumps(content, indent=2)
