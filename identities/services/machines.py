"""Machines: registering them, what they are given, and how one comes in with its join token. What they get is in
`access.machines`. Whether the caller may hand over the role (iam:PassRole) is asked at the door."""

import secrets
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from access.tokens import looks_like_token, new_token, token_hash
from accounts import rules
from accounts.models import Account
from accounts.slots import create_in_slot
from audit import clock
from audit.errors import EntityAlreadyExists, NoSuchEntity, ServiceError, ValidationError
from audit.principal import Origin, Principal
from audit.services import record
from identities.models import InstanceProfile, Machine
from identities.services.locks import locked_instance_profile

NAME_LIMIT = 128
JOIN_LIFETIME = timedelta(hours=1)
_PURPOSE = "machine-join"


class JoinRefused(ServiceError):
    """A join token that is none, or is over, or was used: the same words for all of them."""

    code = "InvalidJoinToken"

    def __init__(self) -> None:
        super().__init__("The join token is unknown, used or older than an hour. Make a new one on the machine's page.")


def register_machine(*, by: Principal, name: str, profile: InstanceProfile | None) -> tuple[Machine, str]:
    """Make a machine, and the token with which it joins, returned the only time.

    Raises ValidationError, EntityAlreadyExists, LimitExceeded, NoSuchEntity.
    """
    account = Account.objects.get(pk=by.account_id)
    _check_name(name)
    token, machine_id = new_token(), f"i-{secrets.token_hex(9)[:17]}"

    def insert(slot: int) -> Machine:
        return Machine.objects.create(
            machine_id=machine_id, account=account, name=name, slot=slot, profile=profile, **_join_facts(token)
        )

    siblings = Machine.objects.filter(account=account)
    try:
        with transaction.atomic():
            _check_profile(by, profile)
            machine = create_in_slot(siblings, account.quota("machines"), insert, quota_name="MachinesPerAccount")
            record(by, "iamconsole:RegisterMachine", machine.arn, after=facts(machine))
    except IntegrityError as error:
        raise _taken(name) from error
    return machine, token


@transaction.atomic
def update_machine(*, by: Principal, machine: Machine, name: str, profile: InstanceProfile | None) -> Machine:
    """Rename a machine, or give it another profile: credentials of the earlier one's role end at once.

    Raises ValidationError, EntityAlreadyExists, NoSuchEntity.
    """
    _check_name(name)
    _check_profile(by, profile)
    machine = locked_machine(machine)
    before, arn = facts(machine), machine.arn
    machine.name, machine.profile = name, profile
    try:
        with transaction.atomic():
            machine.save(update_fields=["name", "profile"])
    except IntegrityError as error:
        raise _taken(name) from error
    record(by, "iamconsole:UpdateMachine", arn, before=before, after=facts(machine))
    return machine


@transaction.atomic
def create_machine_join_token(*, by: Principal, machine: Machine) -> str:
    """A new token, for a machine that was set up anew or lost its key: the key that it has now, and all credentials
    that were given for it, are worth nothing from now on. Returned the only time. Raises NoSuchEntity."""
    machine, token = locked_machine(machine), new_token()
    had_joined = machine.has_joined
    changed = {**_join_facts(token), "public_key": "", "joined_at": None}
    for field, value in changed.items():
        setattr(machine, field, value)
    machine.save(update_fields=list(changed))
    record(by, "iamconsole:CreateMachineJoinToken", machine.arn, replaced_key=had_joined)
    return token


@transaction.atomic
def remove_machine(*, by: Principal, machine: Machine) -> None:
    """Remove a machine: it gets nothing more, and what it got is refused at the next call. Raises NoSuchEntity."""
    machine = locked_machine(machine)
    before, arn = facts(machine), machine.arn
    machine.delete()
    record(by, "iamconsole:RemoveMachine", arn, before=before)


@transaction.atomic
def join_machine(*, token: str, public_key: str, proof_at: int, origin: Origin) -> Machine:
    """Register the public key of the machine that a token was made for; of two at once only one gets in.

    A machine that asks again with the same key, because it did not hear the answer, hears it. Raises JoinRefused.
    """
    now, hashed = clock.now(), token_hash(token if looks_like_token(token) else "", _PURPOSE)
    waiting = Machine.objects.filter(join_hash=hashed, join_expires_at__gt=now)
    facts_now = {"joined_at": now, "last_seen_at": now, "last_address": origin.address}
    is_first = waiting.filter(public_key="").update(public_key=public_key, proof_at=proof_at, **facts_now) == 1
    machine = waiting.filter(public_key=public_key).first()
    if machine is None:
        raise JoinRefused()
    if is_first:
        record(machine_principal(machine, origin), "iamconsole:JoinMachine", machine.arn, machine_id=machine.machine_id)
    return machine


def machine_principal(machine: Machine, origin: Origin) -> Principal:
    """The machine itself, for the audit trail."""
    return Principal(machine.account_id, "machine", machine.arn, machine.machine_id, machine.name, origin=origin)


def locked_machine(machine: Machine) -> Machine:
    """Raises NoSuchEntity when it has gone."""
    found = Machine.objects.select_for_update().filter(pk=machine.pk).first()
    if found is None:
        raise NoSuchEntity(f"The machine with name {machine.name} cannot be found.")
    return found


def facts(machine: Machine) -> dict[str, Any]:
    profile = machine.profile
    return {
        "name": machine.name,
        "machine_id": machine.machine_id,
        "instance_profile": profile.arn if profile else None,
        "role": profile.role.arn if profile and profile.role else None,
    }


def _join_facts(token: str) -> dict[str, Any]:
    return {"join_hash": token_hash(token, _PURPOSE), "join_expires_at": clock.now() + JOIN_LIFETIME}


def _check_name(name: str) -> None:
    problem = rules.name_problem(name, NAME_LIMIT, "machine name")
    if not problem and not name.strip("."):
        # A browser takes these for folders, so such a machine's page could never be opened.
        problem = "A machine name needs more than dots."
    if problem:
        raise ValidationError(problem, field="name")


def _check_profile(by: Principal, profile: InstanceProfile | None) -> None:
    """It is the account's own, and still there when the machine is written."""
    if profile is not None and locked_instance_profile(profile).account_id != by.account_id:
        raise NoSuchEntity(f"Instance Profile {profile.name} cannot be found.")


def _taken(name: str) -> EntityAlreadyExists:
    return EntityAlreadyExists(f"A machine with name {name} already exists.", field="name")
