"""How many an account has is counted only where it matters."""

from typing import Any

import pytest

from accounts import room
from accounts.models import Account
from audit.errors import LimitExceeded
from identities.models import User
from tests.cast import make_user


@pytest.fixture(autouse=True)
def fresh() -> Any:
    """The statement holds the quota as it was when it was written."""
    room._accounts.cache_clear()
    yield
    room._accounts.cache_clear()


@pytest.mark.parametrize("quota", [None, 3])
def test_nobody_has_more_than_is_said(alice: User, bob: User, mallory: User, settings: Any, quota: int | None) -> None:
    settings.QUOTAS = {"users": quota} if quota else {}
    found = room.room_for(alice.account_id, "users")
    assert found.limit == (quota or 5000)
    assert found.at_most == (2 if quota else User.objects.order_by("pk").values_list("pk", flat=True).last())


def test_an_account_of_less_room_than_others_is_held_to_it(acme: Account, alice: User) -> None:
    acme.quota_overrides = {"users": 1}
    acme.save()
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for UsersPerAccount: 1"):
        room.room_for(acme.pk, "users").check("UsersPerAccount")
    acme.quota_overrides = {"users": 2}
    acme.save()
    room.room_for(acme.pk, "users").check("UsersPerAccount")
    make_user(acme, "carol", console=False)
    with pytest.raises(LimitExceeded):
        room.room_for(acme.pk, "users").check("UsersPerAccount")
