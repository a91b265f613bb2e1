"""How often somebody may try, and that nobody can lock anybody out."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from access import broker, federated_roles, throttle
from access.models import Throttle
from accounts.models import Account
from audit import clock
from identities.models import User
from identities.services.access_keys import create_access_key
from tests.access.steps import CODE, facts, is_in, logins, sign_in, sign_in_root
from tests.api.program import Program, Refused
from tests.cast import PASSWORD, browser_of, principal_of
from tests.identities.devices import codes, device_of

WRONG = "wrong horse battery staple"
ELSEWHERE = "203.0.113.9"
FROM_ADDRESS = (
    throttle.ADDRESS,
    throttle.STEPS_FROM_ADDRESS,
    throttle.ESTIMATES_FROM_ADDRESS,
    federated_roles.TRIES,
    broker.TRIES,
)


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    with time_machine.travel("2026-11-24T12:00:10Z", tick=False) as traveller:
        yield traveller


def key_of(user: User) -> tuple[str, str]:
    key, secret = create_access_key(by=principal_of(user), user=user)
    return key.access_key_id, secret


def fail(times: int, name: str = "alice", **more: Any) -> Any:
    return [sign_in(Client(**more), name, WRONG) for _ in range(times)][-1]


@pytest.mark.bar(10)
def test_the_eleventh_try_is_not_looked_at(alice: User, noon: Any) -> None:
    assert fail(10).status_code == 200
    reply = sign_in(Client(), "alice", PASSWORD)
    assert reply.status_code == 429 and reply.headers["Retry-After"] == "900"
    assert "Try again in 15 minutes" in reply.content.decode()
    noon.shift(timedelta(minutes=15))
    assert sign_in(Client(), "alice", PASSWORD).status_code == 302


@pytest.mark.bar(10)
def test_spellings_and_addresses_count_together(alice: User) -> None:
    for number, (account, name) in enumerate([("acme", "ALICE"), ("ACME", "alice"), (alice.account_id, "Alice")] * 4):
        reply = sign_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), name, WRONG, account)
    assert reply.status_code == 429


@pytest.mark.bar(8, 10)
def test_a_limit_tells_nothing_about_who_exists(alice: User) -> None:
    def eleven(name: str, account: str) -> tuple[object, ...]:
        return facts([sign_in(Client(), name, WRONG, account) for _ in range(11)][-1])

    assert eleven("alice", "acme") == eleven("nobody", "acme") == eleven("alice", "nowhere")


@pytest.mark.bar(10)
def test_one_address_may_try_sixty_times_at_whomever(alice: User) -> None:
    for number in range(60):
        sign_in(Client(REMOTE_ADDR=ELSEWHERE), f"user{number}", WRONG)
    assert sign_in(Client(REMOTE_ADDR=ELSEWHERE), "alice").status_code == 429
    assert sign_in(Client(), "alice").status_code == 302


@pytest.mark.bar(10)
@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("", "", True),
    ],
)
@pytest.mark.parametrize("limit", FROM_ADDRESS, ids=lambda limit: limit.name)
@pytest.mark.django_db
def test_whoever_has_one_address_of_a_network_has_the_others_too(
    first: str, second: str, together: bool, limit: throttle.Limit
) -> None:
    throttle.step_try(limit, first)
    Throttle.objects.update(failures=limit.tries)
    with pytest.raises(throttle.Throttled) if together else nullcontext():
        throttle.step_try(limit, second)


@pytest.mark.bar(10)
def test_there_is_a_limit_for_all_together(alice: User) -> None:
    full = throttle.password_try(person="somebody", address="192.0.2.1")
    assert full.counters[0][0] is throttle.EVERYWHERE
    Throttle.objects.update(failures=throttle.EVERYWHERE.tries)
    assert sign_in(Client(), "alice").status_code == 429


@pytest.mark.bar(10)
def test_a_good_sign_in_takes_back_only_itself(alice: User, bob: User) -> None:
    fail(9)
    assert sign_in(Client(), "alice").status_code == 302
    assert fail(1).status_code == 200
    assert fail(1).status_code == 429
    for number in range(50):
        sign_in(Client(REMOTE_ADDR=ELSEWHERE), f"user{number}", WRONG)
    sign_in(Client(REMOTE_ADDR=ELSEWHERE), "bob")
    assert [sign_in(Client(REMOTE_ADDR=ELSEWHERE), f"more{n}", WRONG).status_code for n in range(11)] == [200] * 10 + [
        429
    ]


@pytest.mark.bar(12)
def test_after_an_hour_of_attack_the_owner_signs_in_with_their_own_browser(alice: User, noon: Any) -> None:
    own = Client()
    sign_in(own)
    own.post(reverse("access:sign-out"))
    for _ in range(12):
        fail(11, REMOTE_ADDR=ELSEWHERE)
        noon.shift(timedelta(minutes=5))
    assert sign_in(own, password="a typing mistake").status_code == 200
    assert sign_in(own).status_code == 302 and is_in(own)


@pytest.mark.bar(12)
def test_the_same_attack_from_their_own_address_does_not_lock_root_out(acme: Account, noon: Any) -> None:
    own = Client()
    sign_in_root(own)
    for _ in range(12):
        sign_in_root(Client(), WRONG)
    assert sign_in_root(Client()).status_code == 429
    assert sign_in_root(own).status_code == 302 and is_in(own)


@pytest.mark.bar(10)
def test_a_known_browser_has_a_limit_too(alice: User) -> None:
    own = Client()
    sign_in(own)
    assert [sign_in(own, password=WRONG).status_code for _ in range(11)] == [200] * 10 + [429]


def test_a_browser_known_to_one_person_is_not_known_to_another(alice: User, bob: User) -> None:
    own = Client()
    sign_in(own, "bob")
    fail(10)
    assert sign_in(own, "alice").status_code == 429


@pytest.mark.bar(10)
def test_root_s_browser_is_known_to_nobody_else_not_even_to_those_who_do_not_exist(acme: Account) -> None:
    own = Client()
    sign_in_root(own)
    counted = Throttle.objects.filter(key=throttle._key(throttle.ADDRESS, "127.0.0.1"))
    for name in ("nobody", "noone"):
        sign_in(own, name, WRONG)
    assert counted.get().failures == 2


@pytest.mark.bar(26)
def test_five_wrong_codes_in_five_minutes_over_all_sign_ins(alice: User, noon: Any) -> None:
    _, seed = device_of(alice)
    for _ in range(5):
        browser = Client()
        sign_in(browser)
        assert browser.post(CODE, {"code": "000000"}).status_code == 200
    sign_in(browser := Client())
    assert browser.post(CODE, {"code": codes(seed)[1]}).status_code == 429 and not is_in(browser)
    noon.shift(timedelta(minutes=5))
    assert browser.post(CODE, {"code": codes(seed)[1]}).status_code == 302 and is_in(browser)


@pytest.mark.bar(11)
def test_proving_oneself_again_is_limited(alice: User) -> None:
    browser, confirm = browser_of(alice, fresh=False), reverse("access:confirm")
    replies = [browser.post(confirm, {"password": WRONG}).status_code for _ in range(11)]
    assert replies == [200] * 10 + [429]


@pytest.mark.bar(11)
def test_tries_by_a_program_count_with_those_on_the_pages(alice: User) -> None:
    fail(9)
    program = Program(*key_of(alice))
    for code in ("AccessDenied", "Throttling"):
        with pytest.raises(Refused) as refused:
            program.iam("ChangePassword", OldPassword=WRONG, NewPassword="Walnut-Tractor-5519")
        assert refused.value.code == code


@pytest.mark.bar(121)
def test_of_tries_that_are_not_looked_at_the_first_of_a_network_is_recorded(alice: User, noon: Any) -> None:
    """Whoever goes on for days must not fill the trail, in which the events that matter are looked for."""
    fail(14)
    told = ["wrong password"] * 10 + ["too many tries"]
    assert [event.detail["reason"] for event in logins()] == told
    sign_in(Client(REMOTE_ADDR="198.51.100.7"), "alice", WRONG)
    assert [event.detail["reason"] for event in logins()] == [*told, "too many tries"]


def test_what_is_over_is_swept_out(alice: User, noon: Any) -> None:
    fail(1, "somebody-else")
    noon.shift(3 * throttle.LONGEST_WINDOW)
    sign_in(Client(), "alice")
    assert {row.window_started_at for row in Throttle.objects.all()} == {clock.now()}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_sweeping_waits_for_nobody_who_counts(noon: Any) -> None:
    """Who counts holds one row after the other: a sweeper who waited for one of them might hold the next."""
    throttle.step_try(throttle.STEPS_FROM_ADDRESS, ELSEWHERE)
    noon.shift(5 * throttle.LONGEST_WINDOW)

    def sweep() -> None:
        try:
            throttle.code_tries(person="alice")(True)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert len(Throttle.objects.select_for_update()) == 1
        pool.submit(sweep).result(timeout=60)
    assert Throttle.objects.count() == 2


def test_what_is_counted_names_nobody(alice: User) -> None:
    fail(1)
    assert "alice" not in str(list(Throttle.objects.values())) and "acme" not in str(list(Throttle.objects.values()))


@pytest.mark.django_db(transaction=True)
@pytest.mark.bar(10)
def test_twenty_tries_at_once_are_twenty_tries() -> None:
    answered = answers_of_twenty(lambda: throttle.password_try(person="alice", address="192.0.2.1"))
    assert answered == throttle.PERSON.tries


@pytest.mark.django_db(transaction=True)
@pytest.mark.bar(10, 26)
def test_of_twenty_looked_at_at_once_no_more_are_answered_than_there_is_room_for() -> None:
    """Each has been compared when the first is counted; the right one among those that come too late helps nobody."""
    tries = throttle.code_tries(person="alice")
    assert answers_of_twenty(lambda: tries(False)) == throttle.CODE.tries
    with pytest.raises(throttle.Throttled):
        tries(True)


def answers_of_twenty(try_once: Callable[[], object]) -> int:
    """How many of twenty that begin together are not throttled."""
    all_are_there = Barrier(20)

    def one(_: int) -> bool:
        all_are_there.wait(60)
        try:
            try_once()
        except throttle.Throttled:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(20) as pool:
        return sum(pool.map(one, range(20)))


@pytest.mark.django_db
@pytest.mark.bar(10, 26)
def test_no_transaction_can_take_back_the_count_of_a_proof() -> None:
    alice = {"person": "alice", "address": "192.0.2.1"}
    with transaction.atomic():
        for tries in (throttle.code_tries(person="alice"), throttle.password_tries(**alice)):
            with pytest.raises(RuntimeError):
                tries(False)
        with pytest.raises(RuntimeError):
            throttle.password_try(**alice)
        throttle.step_try(throttle.STEPS_FROM_ADDRESS, ELSEWHERE)


@pytest.mark.django_db
@pytest.mark.bar(10)
def test_right_ones_count_nothing_and_take_nothing_back() -> None:
    tries = throttle.password_tries(person="alice", address="192.0.2.1")
    for is_right in [False] * 9 + [True] * 20:
        tries(is_right)
    assert set(Throttle.objects.values_list("failures", flat=True)) == {9} and not tries.full().exists()
    tries(False)
    assert tries.full().count() == 1
    with pytest.raises(throttle.Throttled):
        tries.refuse(True)


@pytest.mark.django_db
def test_a_right_one_starts_the_count_of_its_own_browser_anew() -> None:
    tries = throttle.password_tries(person="alice", address="192.0.2.1", browser="own")
    for is_right in [False] * 9 + [True]:
        tries(is_right)
    assert not Throttle.objects.exists()
