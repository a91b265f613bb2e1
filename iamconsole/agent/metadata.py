"""What is answered on loopback: EC2's instance metadata service, version 2 only, and the container credentials endpoint
(EC2 user guide, "Use IMDSv2"; SDK reference, "Container credential provider")."""

import hmac
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote

from iamconsole.agent.console import is_loopback
from iamconsole.agent.keeper import Held, Look
from iamconsole.agent.tokens import LONGEST, SHORTEST, MetadataTokens

CONTAINER_PATH = "/credentials"
TOKEN_PATH = "/latest/api/token"  # noqa: S105 # an address
TTL, TOKEN = "x-aws-ec2-metadata-token-ttl-seconds", "x-aws-ec2-metadata-token"
# What EC2's own service is called; an operator may lead that address here.
EC2_HOST = "169.254.169.254"
# Something between the application and us has passed the request on, or a page in a browser sends it.
_PASSED_ON = ("x-forwarded-for", "x-forwarded-host", "forwarded", "via", "origin", "sec-fetch-site")
_VERSION = re.compile(r"/(?:latest|\d{4}-\d\d-\d\d)/", re.ASCII)
_HOST = re.compile(r"(?:\[([^\[\]]*)\]|([^\[\]:]*))(?::\d{1,5})?", re.ASCII)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. Names of headers are in small letters."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str = field(default="", repr=False)
    is_json: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Both services; `look` says what there is to give (`Keeper.look`). `container_token` is what applications show at
    the container endpoint; without `has_imds` that is the only one, and other people's applications get nothing."""

    look: Callable[[], Look]
    container_token: str = field(repr=False)
    region: str
    has_imds: bool = True
    tokens: MetadataTokens = field(default_factory=MetadataTokens)

    def answer(self, asked: Asked) -> Answer:
        """Every request is judged by where it was meant to go before anything is looked at (DNS rebinding)."""
        if not _is_for_us(asked.headers.get("host", "")) or any(name in asked.headers for name in _PASSED_ON):
            return Answer(403, "Ask from this machine, directly.")
        path = unquote(asked.path.partition("?")[0])
        if path == CONTAINER_PATH:
            return self._container(asked)
        if not self.has_imds:
            return Answer(404)
        if path == TOKEN_PATH:
            return self._new_token(asked)
        if asked.method != "GET":
            return Answer(405, headers={"Allow": "GET"})
        if not self.tokens.is_good(asked.headers.get(TOKEN, "")):
            return Answer(401)
        return self._metadata(path)

    def _new_token(self, asked: Asked) -> Answer:
        if asked.method != "PUT":
            return Answer(405, headers={"Allow": "PUT"})
        said = asked.headers.get(TTL, "")
        if not (said.isascii() and said.isdigit() and len(said) <= 5 and SHORTEST <= int(said) <= LONGEST):
            return Answer(400)
        return Answer(200, self.tokens.new(int(said)), headers={TTL: said})

    def _metadata(self, path: str) -> Answer:
        version = _VERSION.match(path)
        if version is None:
            return Answer(404)
        look = self.look()
        name = path[version.end() :].rstrip("/")
        if name in _LISTS:
            return Answer(200, _LISTS[name])
        if look.identity is None or not look.identity.machine_id:
            return _nothing(look)
        if name in _FACTS:
            return Answer(200, _FACTS[name](look, self.region))
        if name == "dynamic/instance-identity/document":
            return _json(_document(look, self.region))
        return self._of_role(name, look)

    def _of_role(self, name: str, look: Look) -> Answer:
        if not name.startswith("meta-data/iam/"):
            return Answer(404)
        held = look.held
        if held is None:
            return _nothing(look)
        if name == "meta-data/iam/info":
            info = {"InstanceProfileArn": held.profile_arn, "InstanceProfileId": held.profile_id}
            return _json({"Code": "Success", "LastUpdated": _time(held.fetched_at), **info})
        if name == "meta-data/iam/security-credentials":
            return Answer(200, held.role_name)
        if name == f"meta-data/iam/security-credentials/{held.role_name}":
            of_ec2 = {"Code": "Success", "LastUpdated": _time(held.fetched_at), "Type": "AWS-HMAC"}
            return _json({**of_ec2, **_credentials(held)})
        return Answer(404)

    def _container(self, asked: Asked) -> Answer:
        shown = asked.headers.get("authorization", "")
        # An empty token file must not open what it is there to close.
        if not shown or not hmac.compare_digest(shown.encode(), self.container_token.encode()):
            return Answer(401, "Show the container token as Authorization.")
        if asked.method != "GET":
            return Answer(405, headers={"Allow": "GET"})
        look = self.look()
        return _json(_credentials(look.held)) if look.held else _nothing(look)


_LISTS = {
    "": "dynamic\nmeta-data",
    "meta-data": "iam/\ninstance-id\nplacement/",
    "meta-data/iam": "info\nsecurity-credentials/",
    "meta-data/placement": "availability-zone\nregion",
    "dynamic": "instance-identity/",
    "dynamic/instance-identity": "document",
}
_FACTS: Mapping[str, Callable[[Look, str], str]] = {
    "meta-data/instance-id": lambda look, region: look.identity.machine_id if look.identity else "",
    "meta-data/placement/region": lambda look, region: region,
    # SDKs cut the last letter off to find the region.
    "meta-data/placement/availability-zone": lambda look, region: f"{region}a",
}


def _document(look: Look, region: str) -> dict[str, str]:
    """What SDKs read of the identity document. It is not signed: it proves nothing to others."""
    facts = {"accountId": look.identity.account_id, "instanceId": look.identity.machine_id} if look.identity else {}
    return {**facts, "region": region, "availabilityZone": f"{region}a", "version": "2017-09-30"}


def _credentials(held: Held) -> dict[str, str]:
    return {
        "AccessKeyId": held.access_key_id,
        "SecretAccessKey": held.secret_access_key,
        "Token": held.token,
        "Expiration": held.expiration,
    }


def _nothing(look: Look) -> Answer:
    """Nothing to give for now is a reason to ask again; nothing to give at all is none."""
    return Answer(503 if look.code in ("", "Unreachable") else 404, look.message)


def _json(content: Mapping[str, str]) -> Answer:
    return Answer(200, json.dumps(content, indent=2), is_json=True)


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(_TIME)


def _is_for_us(host: str) -> bool:
    """Whether a Host header names this machine, and not whatever name a stranger has led here."""
    said = _HOST.fullmatch(host)
    name = (said.group(1) or said.group(2)) if said else ""
    if is_loopback(name):
        return True
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(EC2_HOST)
    except ValueError:
        return False
