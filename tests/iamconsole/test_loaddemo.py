import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from audit.models import Event
from identities.models import AccessKey, Group, LoginProfile, User
from identities.services import users
from tests.cast import root_of


def test_it_fills_the_only_account_and_shows_progress(acme: Account, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("loaddemo", users=40, groups=12)
    assert (User.objects.count(), Group.objects.count()) == (40, 12)
    assert "users: 40 of 40" in capsys.readouterr().out
    assert Event.objects.get().action == "iamconsole:LoadDemo"


def test_it_leaves_room_for_the_next_user(acme: Account) -> None:
    acme.quota_overrides = {"users": 10}
    acme.save()
    call_command("loaddemo", users=40, groups=0)
    users.create_user(by=root_of(acme), name="one-more")


def test_nobody_in_it_can_sign_in(acme: Account) -> None:
    call_command("loaddemo", users=40, groups=0)
    assert LoginProfile.objects.exists()
    assert not any(profile.has_usable_password() for profile in LoginProfile.objects.all())


def test_it_can_be_run_twice(acme: Account) -> None:
    call_command("loaddemo", users=20, groups=5)
    call_command("loaddemo", users=20, groups=5)
    assert (User.objects.count(), Group.objects.count()) == (40, 5)
    assert AccessKey.objects.count() == len(set(AccessKey.objects.values_list("access_key_id", flat=True)))


def test_it_asks_which_account_when_there_are_several(acme: Account, globex: Account) -> None:
    with pytest.raises(CommandError, match="--account"):
        call_command("loaddemo", users=1)
