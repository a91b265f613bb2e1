"""Somebody locked down, for the tests of it."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from access.lockdown import lift, lock_down
from audit.principal import Principal
from identities.models import User
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program, Refused
from tests.cast import principal_of

REASON = "Laptop stolen on the train"
POLICY = "arn:aws:iam::aws:policy/IAMUserLockdown"


@pytest.fixture
def by(alice: User) -> Principal:
    return principal_of(alice)


@pytest.fixture
def bobs(bob: User) -> Program:
    return Program(key_of(bob).access_key_id, SECRET)


@pytest.fixture
def noon() -> Iterator[Any]:
    with time_machine.travel("2026-11-26T12:00:00.500Z", tick=False) as traveller:
        yield traveller


def locked(by: Principal, user: User) -> User:
    lock_down(by=by, user=user, reason=REASON)
    return User.objects.get(pk=user.pk)


def lifted(by: Principal, user: User, *restore: str) -> User:
    lift(by=by, user=user, restore=restore)
    return User.objects.get(pk=user.pk)


def code_of(program: Program, service: str = "sts", operation: str = "GetCallerIdentity") -> str:
    with pytest.raises(Refused) as refused:
        program.call(service, operation)
    return refused.value.code
