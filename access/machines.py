"""What a machine gets: it proves itself by its own key, and the trust policy of the role in its profile decides.

AWS's service for that is EC2, so it is `ec2.amazonaws.com` that a trust policy names, and the session has the
machine's id as its name (id_roles_use_switch-role-ec2).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from access import throttle
from access.assume_role import RoleSession, issue_role_session, session_context
from access.gate import normalised, outsider_context
from access.policy_rows import read_role_and_policies
from access.session_tokens import MADE_BY_MACHINE
from access.temporary_credentials import SessionRequest
from access.trust import trust_of
from audit import clock
from audit.errors import ServiceError, ValidationError
from audit.explanation import full
from audit.models import Outcome
from audit.principal import Origin
from audit.services import record
from identities import machine_proof
from identities.machine_proof import CREDENTIALS_PATH, JOIN_PATH, NOBODY_YET
from identities.models import Machine, Role
from identities.services.instance_profiles import PASSED_TO
from identities.services.machines import join_machine, machine_principal
from identities.services.role_sessions import revoked_at
from policies.engine import PolicySet, Request, RequestPrincipal, evaluate

ACTION = "sts:AssumeRole"
_RECORDED = throttle.Limit("refusal-of-machine", 1, timedelta(hours=1))
# A key that nobody has, so that a machine which is not there costs as much as one with another key.
_NOBODYS_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


class NotProven(ServiceError):
    """No machine of ours, or not this one, or a proof that was used before: the same words for all of them."""

    code = "InvalidMachineProof"

    def __init__(self) -> None:
        super().__init__("The machine is not registered here, or the request is not signed with its key.")


class WrongTime(ServiceError):
    """Told only to who holds the key."""

    code = "RequestTimeTooSkewed"


class NoRole(ServiceError):
    """The machine is known and has nothing to get."""

    code = "NoRole"


class RoleNotGiven(ServiceError):
    """The role's trust policy does not let machines in."""

    code = "AssumeRoleUnauthorizedAccess"

    def __init__(self, role: Role) -> None:
        self.role_name = role.name
        super().__init__(f"The trust policy of the role {role.name} does not let {PASSED_TO} assume it.")


@dataclass(frozen=True, slots=True)
class MachineCredentials:
    """What a machine is told. `session` is None where it may keep what it has."""

    machine: Machine
    role: Role
    session: RoleSession | None


def join(*, header: str, body: bytes, origin: Origin) -> Machine:
    """Register a machine's key by its join token. Raises ValidationError, NotProven, WrongTime, JoinRefused,
    Throttled."""
    words = _words(body)
    token, public_key = words.get("Token"), words.get("PublicKey")
    if not isinstance(token, str) or not isinstance(public_key, str) or not machine_proof.is_public_key(public_key):
        raise ValidationError("Send JSON with Token and PublicKey, an Ed25519 key in base64.")
    counted = throttle.step_try(throttle.JOINS_FROM_ADDRESS, origin.address)
    proof = machine_proof.read(header)
    if proof is None or proof.machine_id != NOBODY_YET:
        raise NotProven()
    if not machine_proof.fits(public_key, proof, path=JOIN_PATH, body=body):
        raise NotProven()
    _check_time(proof)
    machine = join_machine(token=token, public_key=public_key, proof_at=proof.at, origin=origin)
    counted.succeeded()
    return machine


def credentials(*, header: str, body: bytes, origin: Origin) -> MachineCredentials:
    """The credentials of the role that the machine has. With `Keep`, the unique id of the role whose credentials it
    has and which still are good for a while, and `Issued`, when it got them, it gets new ones only if it needs them.

    Raises ValidationError, NotProven, WrongTime, NoRole, RoleNotGiven.
    """
    machine = _proven(header, body, origin)
    words = _words(body)
    profile = machine.profile
    found = read_role_and_policies(profile.role.unique_id) if profile and profile.role else None
    if found is None:
        raise NoRole("The machine has no instance profile, or one without a role.")
    role = found.row
    request, policies = _question(machine, role, origin)
    if not evaluate(request, policies).allowed:
        _record_refusal(machine, role, request, policies, origin)
        raise RoleNotGiven(role)
    return MachineCredentials(machine, role, None if _may_keep(words, role) else _issued(machine, role, origin))


def _may_keep(words: Mapping[str, Any], role: Role) -> bool:
    """Whether what the machine has is of this role, and was not revoked since."""
    issued = words.get("Issued")
    if words.get("Keep") != role.unique_id or not isinstance(issued, int):
        return False
    moment = revoked_at(role)
    return moment is None or issued >= moment.timestamp()


def _question(machine: Machine, role: Role, origin: Origin) -> tuple[Request, PolicySet]:
    """Whether the role's trust policy lets machines in, this one included; for the engine."""
    general = outsider_context(machine_principal(machine, origin))
    of_service = {
        "aws:PrincipalIsAWSService": ("true",),
        "aws:PrincipalServiceName": (PASSED_TO,),
        "aws:SourceAccount": (machine.account_id,),
        "aws:SourceArn": (machine.arn,),
    }
    asked = normalised(session_context(role, SessionRequest(name=machine.machine_id)))
    request = Request(
        ACTION,
        role.arn,
        {**general, **asked, **of_service},
        RequestPrincipal(arn=PASSED_TO, account_id="", type="service"),
        resource_account=role.account_id,
    )
    return request, PolicySet(resource=trust_of(role), resource_required=True)


@transaction.atomic
def _issued(machine: Machine, role: Role, origin: Origin) -> RoleSession:
    return issue_role_session(
        by=machine_principal(machine, origin),
        role=role,
        requested=SessionRequest(name=machine.machine_id, seconds=settings.MACHINE_CREDENTIALS_SECONDS),
        made_by=MADE_BY_MACHINE,
        source_key=machine_proof.fingerprint(machine.public_key),
        longest=settings.MACHINE_CREDENTIALS_SECONDS,
    )


def _record_refusal(machine: Machine, role: Role, request: Request, policies: PolicySet, origin: Origin) -> None:
    """Once an hour for one trust policy: a machine asks every minute."""
    if not throttle.is_first(_RECORDED, f"{machine.machine_id}/{role.unique_id}/{role.digest}"):
        return
    decision = evaluate(request, policies, explain=True)
    record(
        machine_principal(machine, origin),
        ACTION,
        role.arn,
        outcome=Outcome.DENIED,
        error_code=RoleNotGiven.code,
        explanation=full(request, policies, decision),
        layer=decision.layer,
        session=machine.machine_id,
    )


def _proven(header: str, body: bytes, origin: Origin) -> Machine:
    """The machine that made the request, which counts once: of two with the same proof the second finds it used."""
    proof = machine_proof.read(header)
    if proof is None:
        raise NotProven()
    machines = Machine.objects.filter(machine_id=proof.machine_id).exclude(public_key="")
    machine = machines.select_related("profile__role").first()
    public_key = machine.public_key if machine else _NOBODYS_KEY
    if not machine_proof.fits(public_key, proof, path=CREDENTIALS_PATH, body=body) or machine is None:
        raise NotProven()
    _check_time(proof)
    unused = Machine.objects.filter(pk=machine.pk, public_key=machine.public_key, proof_at__lt=proof.at)
    seen = {"last_seen_at": clock.now(), "last_address": origin.address}
    if unused.update(proof_at=proof.at, **seen) != 1:
        raise NotProven()
    return machine


def _check_time(proof: machine_proof.Proof) -> None:
    now = clock.now()
    if not proof.is_near(now.timestamp()):
        raise WrongTime(f"The machine's clock is wrong: here it is {now:%Y-%m-%dT%H:%M:%SZ}.")


def _words(body: bytes) -> dict[str, Any]:
    try:
        words = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValidationError("The body must be JSON.") from error
    if not isinstance(words, dict):
        raise ValidationError("The body must be a JSON object.")
    return words
