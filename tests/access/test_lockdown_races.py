"""Twenty threads at once, one of which locks the user down: whatever the others were about to get is worth nothing."""

import pytest
from django.test import Client

from access.lockdown import LOCK, lift, lock_down
from accounts.models import Account
from audit.errors import EntityTemporarilyUnmodifiable, LimitExceeded, NoSuchEntity
from audit.models import Event
from identities.models import AccessKey, Lockdown, User
from identities.services.access_keys import create_access_key, update_access_key
from tests.access.steps import is_in, sign_in
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program, Refused
from tests.api.test_assume_role import taken
from tests.cast import make_role, principal_of, root_of, trusting
from tests.rig.races import THREADS, race

pytestmark = [pytest.mark.bar(74, 139), pytest.mark.django_db(transaction=True)]


def test_of_many_lockdowns_at_once_one_counts(acme: Account, bob: User) -> None:
    assert race(lambda number: lock_down(by=root_of(acme), user=bob, reason=f"number {number}"), NoSuchEntity) == 0
    assert Lockdown.objects.count() == 1 and bob.attachments.count() == 1
    assert Event.objects.filter(action=LOCK, detail__changed=True).count() == 1


def test_of_many_who_lift_it_one_does(acme: Account, bob: User) -> None:
    lock_down(by=root_of(acme), user=bob, reason="x")
    assert race(lambda number: lift(by=root_of(acme), user=bob), NoSuchEntity) == THREADS - 1
    assert not User.objects.get(pk=bob.pk).is_locked_down and not bob.attachments.exists()


def test_no_key_slips_past_it(acme: Account, bob: User) -> None:
    """A key that is made or activated at the same time would otherwise be active when the lockdown is lifted."""
    sleeping = key_of(bob, status="Inactive")

    def attempt(number: int) -> None:
        by, key = principal_of(bob), AccessKey.objects.get(pk=sleeping.pk)
        try:
            if number == THREADS // 2:
                lock_down(by=root_of(acme), user=bob, reason="x")
            elif number % 2:
                update_access_key(by=by, key=key, status="Active")
            else:
                create_access_key(by=by, user=bob)
        except LimitExceeded:
            pass

    race(attempt, EntityTemporarilyUnmodifiable)
    assert not AccessKey.objects.filter(user=bob, status="Active")


def test_no_session_slips_past_it(acme: Account, bob: User) -> None:
    key, role = key_of(bob), make_role(acme, "deploy", trusting(bob.arn))
    program, browsers, sessions = Program(key.pk, SECRET), [Client() for _ in range(6)], []

    def attempt(number: int) -> None:
        if number == THREADS // 2:
            lock_down(by=root_of(acme), user=bob, reason="x")
        elif number < len(browsers):
            sign_in(browsers[number], "bob")
        else:
            sessions.append(taken(program, role))

    def nothing_works() -> bool:
        codes = []
        for session in (program, *sessions):
            with pytest.raises(Refused) as refused:
                session.sts("GetCallerIdentity")
            codes.append(refused.value.code)
        return set(codes) == {"InvalidClientTokenId"} and not any(is_in(browser) for browser in browsers)

    race(attempt, Refused)
    assert nothing_works()
    lift(by=root_of(acme), user=bob)
    assert nothing_works()
