from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from identities.models import AccessKey, User
from identities.services.access_keys import create_access_key, note_use
from tests.cast import principal_of

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def key(bob: User) -> AccessKey:
    return create_access_key(by=principal_of(bob), user=bob)[0]


def use(key: AccessKey, minutes: int, service: str = "iam") -> AccessKey:
    with time_machine.travel(NOON + timedelta(minutes=minutes), tick=False):
        note_use(key, service=service, region="us-east-1", address="192.0.2.10")
    key.refresh_from_db()
    return key


def test_it_notes_when_and_what(key: AccessKey) -> None:
    use(key, 0)
    assert (key.last_used_at, key.last_used_service, key.last_used_region) == (NOON, "iam", "us-east-1")


def test_uses_within_a_quarter_of_an_hour_are_one(key: AccessKey) -> None:
    use(key, 0)
    assert use(key, 14, "sts").last_used_service == "iam"
    assert use(key, 15, "sts").last_used_at == NOON + timedelta(minutes=15)


def test_a_use_that_is_already_noted_costs_no_query(key: AccessKey, django_assert_num_queries: Any) -> None:
    use(key, 0)
    with django_assert_num_queries(0), time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        note_use(key, service="sts", region="eu-west-1", address="192.0.2.10")


def test_a_stale_copy_of_the_key_does_not_write_over_a_note(key: AccessKey) -> None:
    stale = AccessKey.objects.get()
    use(key, 0)
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        note_use(stale, service="sts", region="eu-west-1", address="192.0.2.10")
    assert AccessKey.objects.get().last_used_service == "iam"
