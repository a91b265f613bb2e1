"""Who will use a new role, and the trust policy that lets exactly them in (user guide, id_roles_create_for-*)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audit.principal import root_arn
from federation import sp
from identities.services.instance_profiles import PASSED_TO

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@dataclass(frozen=True, slots=True)
class Use:
    """One card of the first question. `asks` says whether there are questions before the trust policy is written."""

    key: str
    title: str
    text: str
    asks: bool = True


USES = (
    Use("user", "A user of this account", "People who do something special for a while: administrators, auditors."),
    Use("account", "Another account", "Users of another account on this server, such as a company that works for you."),
    Use(
        "machine",
        "An application on a machine",
        "A program that finds credentials where it runs, so that no key is stored with it.",
        asks=False,
    ),
    Use("web", "A web or mobile app", "People who sign in with an OpenID Connect provider, such as Google."),
    Use("saml", "People of a company", "Employees who sign in with their company's own directory, by SAML 2.0."),
    Use(
        "broker",
        "A company's own sign-in program",
        "A program that signs people in by its own means and sends them here.",
    ),
    Use("custom", "Something else", "Write the trust policy yourself, from the first line.", asks=False),
)
BY_KEY = {use.key: use for use in USES}


def for_users(account_id: str, arns: Sequence[str], *, mfa: bool) -> str:
    """Named users, or whomever the account itself lets."""
    return _document("sts:AssumeRole", {"AWS": _one_or_many(arns) or root_arn(account_id)}, MFA if mfa else {})


def for_account(account_id: str, *, external_id: str, mfa: bool) -> str:
    condition = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    return _document("sts:AssumeRole", {"AWS": root_arn(account_id)}, {**condition, **(MFA if mfa else {})})


def for_machines() -> str:
    return _document("sts:AssumeRole", {"Service": PASSED_TO}, {})


def for_web(provider: str, *, audience: str, subject: str) -> str:
    """`provider` is the ARN of a provider of the account, or the host of one that every account knows."""
    issuer = provider.partition(":oidc-provider/")[2] or provider
    equal = {f"{issuer}:aud": audience}
    condition: dict[str, Any] = {"StringEquals": equal}
    if "*" in subject or "?" in subject:
        condition["StringLike"] = {f"{issuer}:sub": subject}
    elif subject:
        equal[f"{issuer}:sub"] = subject
    return _document("sts:AssumeRoleWithWebIdentity", {"Federated": provider}, condition)


def for_saml(provider: str) -> str:
    return _document("sts:AssumeRoleWithSAML", {"Federated": provider}, {"StringEquals": {"SAML:aud": sp.acs_url()}})


def _document(action: str, principal: dict[str, Any], condition: dict[str, Any]) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    statement |= {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def _one_or_many(arns: Sequence[str]) -> str | list[str]:
    return arns[0] if len(arns) == 1 else list(arns)
