"""A machine of the tests: what it holds, and what it sends."""

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from access.role_uses import for_machines
from accounts.models import Account
from audit import clock
from identities import machine_proof
from identities.machine_proof import CREDENTIALS_PATH, JOIN_PATH, NOBODY_YET
from identities.models import InstanceProfile, Machine, Role
from identities.services.instance_profiles import add_role_to_instance_profile, create_instance_profile
from identities.services.machines import register_machine
from tests.cast import make_role, root_of


def profile_of(account: Account, name: str = "web", *, trust: str = "") -> tuple[InstanceProfile, Role]:
    """An instance profile with a role that machines may have."""
    role = make_role(account, name, trust or for_machines())
    profile = create_instance_profile(by=root_of(account), name=name)
    add_role_to_instance_profile(by=root_of(account), profile=profile, role=role)
    return InstanceProfile.objects.get(pk=profile.pk), role


def registered(account: Account, name: str = "build-1", profile: InstanceProfile | None = None) -> tuple[Machine, str]:
    return register_machine(by=root_of(account), name=name, profile=profile)


@dataclass(slots=True)
class Box:
    """A computer with a key of its own. `at` is the time that it last signed."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    machine_id: str = NOBODY_YET
    at: int = 0

    def header(self, path: str, body: bytes, /, **wrong: Any) -> str:
        self.at = max(self.at + 1, int(clock.now().timestamp() * 1_000_000))
        facts: dict[str, Any] = {"machine_id": self.machine_id, "at": self.at, "path": path, "body": body} | wrong
        return machine_proof.prove(self.key, **facts)

    def send(self, path: str, words: object, /, header: str | None = None, **wrong: Any) -> tuple[int, dict[str, Any]]:
        body = json.dumps(words).encode()
        proof = self.header(path, body, **wrong) if header is None else header
        reply = Client().post(path, body, content_type="application/json", headers={"Authorization": proof})
        return reply.status_code, json.loads(reply.content)

    def join(self, token: str, **wrong: Any) -> tuple[int, dict[str, Any]]:
        words = {"Token": token, "PublicKey": machine_proof.public_text(self.key)}
        status, answer = self.send(JOIN_PATH, words, **wrong)
        self.machine_id = answer.get("MachineId", self.machine_id)
        return status, answer

    def credentials(self, words: object = None, **wrong: Any) -> tuple[int, dict[str, Any]]:
        return self.send(CREDENTIALS_PATH, {} if words is None else words, **wrong)


def joined(account: Account, name: str = "build-1", profile: InstanceProfile | None = None) -> tuple[Box, Machine]:
    machine, token = registered(account, name, profile)
    box = Box()
    assert box.join(token)[0] == 200
    return box, Machine.objects.get(pk=machine.pk)


def code(reply: tuple[int, dict[str, Any]]) -> str:
    """The code of a refusal."""
    return str(reply[1]["Error"]["Code"])
