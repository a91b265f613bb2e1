"""Keeping credentials fresh: asked for when a third of their time is left, looked after once a minute, and handed on
for as long as they are good while the console can't be reached."""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from iamconsole.agent.console import Console, Refused, Unreachable
from iamconsole.agent.state import Identity, StateFolder
from identities import machine_proof
from identities.machine_proof import CREDENTIALS_PATH, JOIN_PATH, NOBODY_YET

logger = logging.getLogger("machineagent")

# How soon the machine notices that it has another role, or none.
CHECK_EVERY = 60.0
LONGEST_PAUSE = 60.0
NOT_JOINED = "NotJoined"
UNREADABLE = "The console's answer can't be read: is it of another version?"


@dataclass(frozen=True, slots=True)
class Held:
    """The credentials that applications get now. Times are this machine's."""

    role_id: str
    role_name: str
    profile_arn: str
    profile_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    token: str = field(repr=False)
    expiration: str
    issued: int
    fetched_at: float
    renew_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to give: `held`, or the reason why there is nothing ('' while nothing is known yet)."""

    identity: Identity | None
    held: Held | None
    code: str = ""
    message: str = ""


class Keeper:
    """Asks the console and remembers the answer, in memory only. Safe to be used by many threads."""

    def __init__(
        self, state: StateFolder, console: Console, join_token: str = "", *, now: Callable[[], float] = time.time
    ) -> None:
        self._state, self._console, self._join_token, self._now = state, console, join_token, now
        self._identity = state.identity()
        # A join token that was used already is no reason to join again.
        is_new = bool(join_token) and not (self._identity and self._identity.is_of(join_token))
        self._joining = state.joining(join_token) if is_new else None
        self._held: Held | None = None
        self._code, self._message = "", ""
        self._asking = threading.Lock()
        self._next_check, self._failures, self._last_at = 0.0, 0, 0

    def look(self) -> Look:
        """What applications may have now; asks the console where that is due. Only one thread asks: the others get
        what there is, and wait only where there is nothing."""
        if self._is_due() and self._asking.acquire(blocking=self._good() is None):
            try:
                if self._is_due():
                    self._ask()
            finally:
                self._asking.release()
        good = self._good()
        return Look(self._identity, good, "" if good else self._code, "" if good else self._message)

    def run(self, stop: threading.Event) -> None:
        """Look after the credentials until told to stop."""
        while not stop.is_set():
            self.look()
            stop.wait(max(0.5, min(self._next_check - time.monotonic(), CHECK_EVERY)))

    def _good(self) -> Held | None:
        held = self._held
        return held if held is not None and self._now() < held.expires_at else None

    def _is_due(self) -> bool:
        """Once a minute, and at once when renewal is due by the clock (a machine may have slept), unless the last try
        failed: then its pause comes first."""
        if time.monotonic() >= self._next_check:
            return True
        return not self._failures and self._held is not None and self._now() >= self._held.renew_at

    def _ask(self) -> None:
        try:
            self._identity = self._joined()
            self._held = self._fetched(self._identity)
        except Refused as error:
            # It is about this machine: what it had is worth nothing any more.
            self._held = None
            self._failed(error.code, error.message)
        except (Unreachable, OSError) as error:
            self._failed("Unreachable", str(error))
        else:
            if self._code:
                logger.info("The console answers again.")
            self._code, self._message, self._failures = "", "", 0
            self._next_check = time.monotonic() + CHECK_EVERY * _about_one()

    def _failed(self, code: str, message: str) -> None:
        if (code, message) != (self._code, self._message):
            logger.warning("%s", message)
        self._code, self._message = code, message
        pause = min(LONGEST_PAUSE, 2.0 ** min(self._failures, 10))
        self._failures += 1
        self._next_check = time.monotonic() + pause * _about_one()

    def _joined(self) -> Identity:
        if self._joining is not None:
            try:
                return self._join(self._joining)
            except Refused as error:
                if self._identity is None:
                    raise
                # A wrong token is no reason to stop what works.
                logger.warning("%s This machine goes on as %s.", error.message, self._identity.machine_id)
                self._joining = None
        if self._identity is None:
            raise Refused(NOT_JOINED, "This machine has not joined: give it a join token from its page in the console.")
        return self._identity

    def _join(self, joining: Identity) -> Identity:
        words = {"Token": self._join_token, "PublicKey": machine_proof.public_text(joining.key)}
        answer = self._post(joining, JOIN_PATH, words)
        machine_id, account_id = answer.get("MachineId"), answer.get("AccountId")
        if not isinstance(machine_id, str) or not isinstance(account_id, str):
            raise Unreachable(UNREADABLE)
        identity = self._state.joined(joining, machine_id, account_id)
        self._joining, self._held = None, None
        logger.info("Joined as %s of account %s.", machine_id, account_id)
        return identity

    def _fetched(self, identity: Identity) -> Held:
        good = self._good()
        keep = good is not None and self._now() < good.renew_at
        has: dict[str, str | int] = {"Keep": good.role_id, "Issued": good.issued} if good and keep else {}
        answer = self._post(identity, CREDENTIALS_PATH, has)
        if good and keep and "Credentials" not in answer:
            return good
        return _held(answer, self._now())

    def _post(self, identity: Identity, path: str, words: Mapping[str, str | int]) -> dict[str, Any]:
        body = json.dumps(words).encode()
        # Later than the one before, also where the clock was set back: the console takes none twice.
        self._last_at = max(self._last_at + 1, int(self._now() * 1_000_000))
        machine_id = identity.machine_id or NOBODY_YET
        proof = machine_proof.prove(identity.key, machine_id=machine_id, at=self._last_at, path=path, body=body)
        return self._console.post(path, body, proof)


def _held(answer: dict[str, Any], now: float) -> Held:
    try:
        made = answer["Credentials"]
        seconds = float(made["Seconds"])
        return Held(
            role_id=answer["RoleId"],
            role_name=answer["RoleName"],
            profile_arn=answer["InstanceProfileArn"],
            profile_id=answer["InstanceProfileId"],
            access_key_id=made["AccessKeyId"],
            secret_access_key=made["SecretAccessKey"],
            token=made["Token"],
            expiration=made["Expiration"],
            issued=int(made["Issued"]),
            fetched_at=now,
            renew_at=now + seconds * 2 / 3,
            expires_at=now + seconds,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unreachable(UNREADABLE) from error


def _about_one() -> float:
    """Machines that were started together don't ask together."""
    return random.uniform(0.9, 1.1)  # noqa: S311 # no secret depends on it
