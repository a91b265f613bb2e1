"""How a machine joins: with a token that counts once and for an hour, and a proof that the key is its own."""

from dataclasses import replace

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from access import throttle
from accounts.models import Account
from audit import clock
from audit.models import Event
from identities.machine_proof import CREDENTIALS_PATH
from identities.models import InstanceProfile
from identities.services.machines import (
    JOIN_LIFETIME,
    create_machine_join_token,
    join_machine,
    remove_machine,
)
from tests.api.machines import Box, code, profile_of, registered
from tests.cast import ORIGIN, root_of
from tests.rig.races import THREADS, race


@pytest.fixture
def profile(acme: Account) -> InstanceProfile:
    return profile_of(acme)[0]


@pytest.mark.bar(42)
def test_a_join_token_counts_once(acme: Account, profile: InstanceProfile) -> None:
    _, token = registered(acme, profile=profile)
    first, second = Box(), Box()
    assert first.join(token)[0] == 200
    assert code(second.join(token)) == "InvalidJoinToken"
    assert first.credentials()[0] == 200


def test_a_machine_that_did_not_hear_the_answer_asks_again(acme: Account, profile: InstanceProfile) -> None:
    _, token = registered(acme, profile=profile)
    box = Box()
    assert [box.join(token, machine_id="new")[0] for _ in range(2)] == [200, 200]
    assert Event.objects.filter(action="iamconsole:JoinMachine").count() == 1


@pytest.mark.bar(42)
def test_a_join_token_ends_after_an_hour(acme: Account) -> None:
    _, token = registered(acme)
    with time_machine.travel(clock.now() + JOIN_LIFETIME):
        assert code(Box().join(token)) == "InvalidJoinToken"


@pytest.mark.bar(42)
def test_a_new_join_token_ends_the_one_before(acme: Account) -> None:
    machine, old = registered(acme)
    new = create_machine_join_token(by=root_of(acme), machine=machine)
    assert code(Box().join(old)) == "InvalidJoinToken"
    assert Box().join(new)[0] == 200


@pytest.mark.bar(42)
@pytest.mark.parametrize("token", ["", "x", "nothing-at-all" * 3 + "x", "\ud800", "é" * 43])
def test_words_that_are_no_token_are_refused(acme: Account, token: str) -> None:
    registered(acme)
    assert code(Box().join(token)) == "InvalidJoinToken"


def test_joining_proves_that_the_key_is_ones_own(acme: Account) -> None:
    _, token = registered(acme)
    box = Box()
    for wrong in ({"machine_id": "i-0"}, {"path": CREDENTIALS_PATH}, {"body": b"{}"}, {"header": ""}):
        assert code(box.join(token, **wrong)) == "InvalidMachineProof"
    assert box.join(token)[0] == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.bar(42, 75)
def test_of_twenty_that_join_at_once_one_gets_in(acme: Account) -> None:
    machine, token = registered(acme)

    def attempt(number: int) -> None:
        key = Ed25519PrivateKey.generate()
        status, answer = Box(key).join(token)
        if status != 200:
            raise ConnectionRefusedError(answer["Error"]["Code"])

    assert race(attempt, ConnectionRefusedError) == THREADS - 1
    assert Event.objects.filter(action="iamconsole:JoinMachine").count() == 1


@pytest.mark.bar(92)
def test_refused_tries_to_join_are_counted_by_address(acme: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = registered(acme)
    monkeypatch.setattr(throttle, "JOINS_FROM_ADDRESS", replace(throttle.JOINS_FROM_ADDRESS, tries=2))
    assert [code(Box().join("x")) for _ in range(2)] == ["InvalidJoinToken"] * 2
    assert code(Box().join(token)) == "Throttling"


def test_joining_takes_a_machine_that_was_not_removed_meanwhile(acme: Account) -> None:
    machine, token = registered(acme)
    remove_machine(by=root_of(acme), machine=machine)
    with pytest.raises(Exception, match="unknown, used or older"):
        join_machine(token=token, public_key="x" * 44, proof_at=1, origin=ORIGIN)
