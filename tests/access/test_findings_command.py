"""The self-check from the command line, for a nightly job."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, PasswordPolicy, RootUser
from tests.access.sound import make_sound


def run(*words: str) -> tuple[int, str]:
    told = io.StringIO()
    try:
        call_command("findings", *words, stdout=told)
    except SystemExit as end:
        return int(str(end.code)), told.getvalue()
    return 0, told.getvalue()


@pytest.fixture
def healthy(acme: Account) -> Account:
    make_sound(acme)
    return acme


@pytest.mark.bar(143)
def test_it_lists_what_is_open_and_fails_when_something_is_grave(healthy: Account) -> None:
    assert run(healthy.id) == (0, "0 open findings of 24 checks.\n")
    PasswordPolicy.objects.update(minimum_password_length=8)
    status, told = run(healthy.id)
    assert status == 0 and "PASSWORD_LENGTH" in told and told.startswith("medium")
    assert run(healthy.id, "--fail-on", "medium")[0] == 1
    healthy.mfa_devices.all().delete()
    assert run(healthy.id)[0] == run(healthy.id, "--fail-on", "critical")[0] == 1


def test_it_speaks_json(healthy: Account) -> None:
    RootUser.objects.update(email="root@acme.test")
    told = json.loads(run(healthy.id, "--json")[1])
    assert told["account"] == healthy.id and [each["check"] for each in told["findings"]] == ["ROOT_UNREACHABLE"]


def test_it_wants_an_account_that_is_there(db: None) -> None:
    with pytest.raises(CommandError, match="no account 000000000000") as refused:
        run("000000000000")
    assert refused.value.returncode == 2
