"""Opening and wiping an account without a browser."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client

from access import throttle
from access.management.commands.resetaccount import KEPT, belongings
from access.models import ActionUse, Throttle
from access.one_time import set_up_link
from accounts.models import Account, PasswordPolicy
from audit import clock
from audit.models import Event
from identities.models import AccessKey, Group, InstanceProfile, MFADevice, Role, User
from identities.services.access_keys import create_access_key
from identities.services.credential_report import generate_credential_report
from identities.services.service_credentials import create_service_specific_credential
from identities.services.signing_certificates import upload_signing_certificate
from policies.models import ManagedPolicy
from tests.access.steps import is_in, sign_in_root
from tests.api.program import Program
from tests.cast import ROOT_PASSWORD, allow, root_of
from tests.identities.certificates import issue
from tests.identities.devices import device_of

BASE = ("--name", "Acme", "--email", "root@acme.example", "--password-stdin", "--json")


@pytest.fixture
def createaccount(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def run(*words: str, password: str = ROOT_PASSWORD + "\n") -> Any:
        out = io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(password))
        call_command("createaccount", *BASE, *words, stdout=out)
        return json.loads(out.getvalue())

    return run


def test_it_opens_an_account_that_root_signs_in_to(createaccount: Callable[..., Any], client: Client) -> None:
    made = createaccount()
    assert set(made) == {"AccountId", "Alias", "SignInUrl", "AccessKeyId", "SecretAccessKey"}
    assert len(made["AccountId"]) == 12 and made["Alias"] is made["AccessKeyId"] is made["SecretAccessKey"] is None
    assert made["SignInUrl"] == f"http://127.0.0.1:8000/signin/{made['AccountId']}/"
    sign_in_root(client)
    assert is_in(client)


def test_it_takes_an_alias_and_an_id_and_makes_a_key_that_works(createaccount: Callable[..., Any]) -> None:
    made = createaccount("--alias", "acme", "--account-id", "123456789012", "--access-key")
    assert (made["AccountId"], made["Alias"]) == ("123456789012", "acme")
    assert made["SignInUrl"] == "http://127.0.0.1:8000/signin/acme/"
    caller = Program(made["AccessKeyId"], made["SecretAccessKey"]).sts("GetCallerIdentity")
    assert caller["Arn"] == "arn:aws:iam::123456789012:root"


@pytest.mark.django_db(transaction=True)
def test_it_prints_nothing_but_the_answer(createaccount: Callable[..., Any], capsys: Any, settings: Any) -> None:
    """Not the mail about the new key either, where the terminal stands in for a mail server."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    createaccount("--access-key")
    printed = capsys.readouterr()
    assert printed.out == "" and "access key" in printed.err


@pytest.mark.parametrize("password", ["Str0ng-enough", "correct horse battery staple 42", "Summer2026!x"])
def test_a_script_may_also_give_what_the_api_accepts(createaccount: Callable[..., Any], password: str) -> None:
    assert createaccount(password=password)["AccountId"]


@pytest.mark.parametrize(
    ("words", "password", "says"),
    [
        (("--alias", "No!"), ROOT_PASSWORD, "lower-case"),
        (("--account-id", "12"), ROOT_PASSWORD, "12 digits"),
        (("--email", "root"), ROOT_PASSWORD, "e-mail"),
        (("--name", ""), ROOT_PASSWORD, "name"),
        ((), "short", "at least 15"),
        ((), "x" * 129, "at most 128"),
        ((), "", "at least 15"),
    ],
)
def test_it_says_what_is_wrong(
    createaccount: Callable[..., Any], words: tuple[str, ...], password: str, says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        createaccount(*words, password=password)
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--account-id", "111122223333", "--email", "new@acme.example"), "id 111122223333 exists"),
        (("--alias", "acme", "--email", "new@acme.example"), "alias acme"),
        (("--email", "ROOT@acme.example"), "e-mail address exists"),
    ],
)
def test_nothing_is_taken_twice(
    acme: Account, createaccount: Callable[..., Any], words: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        createaccount(*words)
    assert Account.objects.count() == 1


def test_it_closes_set_up_and_is_recorded(createaccount: Callable[..., Any]) -> None:
    assert set_up_link()
    made = createaccount()
    assert set_up_link() is None
    event = Event.objects.get(action="iamconsole:CreateAccount")
    assert (event.account_id, event.principal_type, event.door) == (made["AccountId"], "system", "command")


@pytest.fixture
def full(alice: User, mallory: User) -> Account:
    """Acme with one of everything."""
    account = alice.account
    Group.objects.create(account=account, name="readers", unique_id="AGPA" + "A" * 17)
    policy = ManagedPolicy.objects.create(account=account, name="own", unique_id="ANPA" + "A" * 17)
    User.objects.filter(pk=alice.pk).update(boundary=policy)
    allow(alice, "iam:*")
    device_of(alice)
    MFADevice.objects.create(account=account, name="roots", seed_encrypted="x")
    PasswordPolicy.objects.create(account=account)
    create_access_key(by=root_of(account), user=None)
    create_access_key(by=root_of(account), user=alice)
    role = Role.objects.create(account=account, name="machine", unique_id="AROA" + "A" * 17, document="{}")
    role.attachments.create(policy=policy, slot=1)
    InstanceProfile.objects.create(account=account, name="machine", unique_id="AIPA" + "A" * 17, role=role)
    upload_signing_certificate(by=root_of(account), user=None, body=issue("root").body)
    create_service_specific_credential(by=root_of(account), user=alice, service="codecommit.amazonaws.com")
    generate_credential_report(by=root_of(account))
    ActionUse.objects.create(account_id=account.pk, principal_id="AIDA", action="iam:GetUser", at=clock.now())
    throttle.password_try(person="somebody", address="192.0.2.1")
    return account


def reset(account: Account, *words: str) -> None:
    call_command("resetaccount", account.id, *words, stdout=io.StringIO())


def test_it_leaves_root_and_its_keys(full: Account, settings: Any, client: Client) -> None:
    settings.ALLOW_RESET = True
    reset(full, "--yes")
    of_it = {"account": full}
    for model in (User, Group, MFADevice, PasswordPolicy, ManagedPolicy):
        assert not model._default_manager.filter(**of_it).exists(), model
    assert not any(model._default_manager.filter(account_id=full.pk).exists() for model in belongings())
    assert AccessKey.objects.get(**of_it).user is None and not Throttle.objects.exists()
    sign_in_root(client)
    assert is_in(client) and User.objects.filter(name="mallory").exists()
    assert Event.objects.filter(action="iamconsole:ResetAccount", account_id=full.id).exists()


def test_it_knows_every_table_of_accounts() -> None:
    """Whatever is added later is emptied too, or stands among what is kept."""
    owned = {model for model in apps.get_models() if {"account", "account_id"} & {f.name for f in model._meta.fields}}
    assert owned == {*belongings(), *KEPT}
    unowned = {"Account", "Throttle", "UsedOnce"}
    reached = {model for model in apps.get_models() if any(f.related_model for f in model._meta.fields)} | owned
    assert {model.__name__ for model in apps.get_models() if model not in reached} <= unowned


def test_it_gives_the_account_the_alias_back_that_it_began_with(
    createaccount: Callable[..., Any], settings: Any
) -> None:
    settings.ALLOW_RESET = True
    account = Account.objects.get(pk=createaccount("--alias", "first")["AccountId"])
    Account.objects.update(alias="second", quota_overrides={"users": 1})
    reset(account, "--yes")
    account.refresh_from_db()
    assert (account.alias, account.quota_overrides) == ("first", {})


@pytest.mark.parametrize(("allowed", "words", "says"), [(False, ("--yes",), "Refused"), (True, (), "Say --yes")])
def test_it_refuses_without_leave(
    full: Account, settings: Any, allowed: bool, words: tuple[str, ...], says: str
) -> None:
    settings.ALLOW_RESET = allowed
    with pytest.raises(CommandError, match=says):
        reset(full, *words)
    assert User.objects.filter(account=full).count() == 1


def test_it_knows_when_there_is_no_such_account(db: None, settings: Any) -> None:
    settings.ALLOW_RESET = True
    with pytest.raises(CommandError, match="no account"):
        call_command("resetaccount", "123456789012", "--yes")
