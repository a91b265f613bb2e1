"""The account's self-check: each check finds what it is for, in an account where nothing else is wrong, and no longer
when it is mended."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from access.lockdown import lock_down
from access.self_check.checks import CHECKS, READS
from access.self_check.finding import KINDS
from access.self_check.report import Report, make_report
from accounts.models import Account, PasswordPolicy, RootUser
from federation.models import OIDCProvider
from identities.models import (
    AccessKey,
    Group,
    GroupAttachment,
    Membership,
    Role,
    RoleInlinePolicy,
    User,
    UserAttachment,
)
from tests.access import sound
from tests.access.sound import Spoiling, make_sound
from tests.cast import make_administrator, make_role, make_user, root_of

SPOILED = [*sound.ROOT, *sound.USERS, *sound.POLICIES, *sound.ACCOUNT]


@pytest.fixture
def healthy(acme: Account) -> Account:
    make_sound(acme)
    return acme


def report_on(account: Account) -> Report:
    return make_report(account.id, READS)


def found_in(account: Account) -> list[str]:
    return [each.check.code for each in report_on(account).open]


def comes_and_goes(account: Account, settings: Any, code: str, spoil: Spoiling) -> None:
    steps = spoil(account, settings)
    next(steps)
    assert found_in(account) == [code]
    assert next(steps, "mended") == "mended"
    assert found_in(account) == []


def test_nothing_is_found_where_nothing_is_wrong(healthy: Account) -> None:
    report = report_on(healthy)
    assert report.open == () and report.checked == CHECKS and report.unread == 0


@pytest.mark.bar(140)
@pytest.mark.parametrize(("code", "spoil"), sound.ROOT)
def test_a_fault_of_the_root_user_is_found_and_gone_once_mended(
    healthy: Account, settings: Any, code: str, spoil: Spoiling
) -> None:
    comes_and_goes(healthy, settings, code, spoil)


@pytest.mark.bar(141)
@pytest.mark.parametrize(("code", "spoil"), sound.USERS)
def test_a_fault_of_a_users_credentials_is_found_and_gone_once_mended(
    healthy: Account, settings: Any, code: str, spoil: Spoiling
) -> None:
    comes_and_goes(healthy, settings, code, spoil)


@pytest.mark.bar(142)
@pytest.mark.parametrize(("code", "spoil"), sound.POLICIES)
def test_a_fault_of_permissions_or_trust_is_found_and_gone_once_mended(
    healthy: Account, settings: Any, code: str, spoil: Spoiling
) -> None:
    comes_and_goes(healthy, settings, code, spoil)


@pytest.mark.bar(143)
@pytest.mark.parametrize(("code", "spoil"), sound.ACCOUNT)
def test_a_fault_of_the_accounts_settings_is_found_and_gone_once_mended(
    healthy: Account, settings: Any, code: str, spoil: Spoiling
) -> None:
    comes_and_goes(healthy, settings, code, spoil)


def test_what_the_first_steps_leave_behind_is_no_finding(healthy: Account) -> None:
    """Root opens the account and makes one administrator, as these pages do it: nobody could do better."""
    Account.objects.update(created_at=sound.ago(10))
    RootUser.objects.update(password_last_used_at=sound.ago(4))
    OIDCProvider.objects.all().delete()
    first = administrator(healthy, "alice")
    UserAttachment.objects.create(user=first, policy=sound.built_in("IAMSelfManageCredentials"), slot=2)
    for number in range(8):
        sound.device(healthy, make_user(healthy, f"user{number}"))
    assert found_in(healthy) == []
    administrator(healthy, "bob")
    assert found_in(healthy) == ["ADMINISTRATOR", "ADMINISTRATOR", "NO_FEDERATION"]
    RootUser.objects.update(password_last_used_at=sound.ago(2))
    assert found_in(healthy)[0] == "ROOT_USED"


def test_an_only_administrator_may_be_one_by_a_group(healthy: Account) -> None:
    group = Group.objects.create(account=healthy, name="admins", unique_id="AGPAADMINS")
    GroupAttachment.objects.create(group=group, policy=sound.built_in("AdministratorAccess"), slot=1)
    for slot, name in enumerate(("alice", "bob"), start=1):
        assert found_in(healthy) == [], slot
        user = make_user(healthy, name)
        sound.device(healthy, user)
        Membership.objects.create(user=user, group=group, slot=1)
    assert found_in(healthy) == ["ADMINISTRATOR"]


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (0, "Any earlier password can be used again."),
        (1, "Only the last password can't be used again."),
        (23, "Only the last 23 passwords can't be used again."),
    ],
)
def test_it_says_which_passwords_come_back(healthy: Account, kept: int, said: str) -> None:
    PasswordPolicy.objects.update(password_reuse_prevention=kept)
    assert [each.finding.sentence for each in report_on(healthy).open] == [said]


def administrator(account: Account, name: str) -> User:
    user = make_administrator(account, name)
    sound.device(account, user)
    return user


def test_every_check_is_tried() -> None:
    assert {code for code, _ in SPOILED} == {check.code for check in CHECKS}
    assert len({check.code for check in CHECKS}) == len(CHECKS)


def test_the_gravest_stand_first() -> None:
    order = ["critical", "high", "medium", "low"]
    assert [check.severity for check in CHECKS] == sorted((check.severity for check in CHECKS), key=order.index)


@pytest.mark.parametrize("action", READS)
def test_a_check_is_made_only_for_who_may_read_what_it_looks_at(healthy: Account, settings: Any, action: str) -> None:
    for _, spoil in (*sound.ROOT[:4], *sound.ACCOUNT):
        next(spoil(healthy, settings))
    report = make_report(healthy.id, set(READS) - {action})
    hidden = {check.code for check in CHECKS if action in check.reads}
    assert hidden and not hidden & {each.check.code for each in report.open}
    assert not hidden & {check.code for check in report.checked}


def test_other_accounts_have_no_say(healthy: Account, settings: Any, globex: Account) -> None:
    make_sound(globex)
    for _, spoil in (sound.ROOT[0], sound.USERS[0], sound.POLICIES[8], sound.ACCOUNT[2]):
        next(spoil(globex, settings))
    RootUser.objects.filter(account=globex).update(email="root@globex.test")
    assert found_in(healthy) == [] and len(found_in(globex)) == 5


def test_what_a_service_made_for_itself_is_its_own_affair(healthy: Account, settings: Any) -> None:
    next(sound.any_account_through_a_service(healthy, settings))
    Role.objects.update(path="/aws-service-role/events.amazonaws.com/")
    assert found_in(healthy) == []


def test_a_program_gets_its_key_when_it_is_made(healthy: Account) -> None:
    sound.key(healthy, sound.person(healthy, console=False), used=None)
    assert found_in(healthy) == []


def test_who_is_locked_down_has_nothing_to_lose(healthy: Account, settings: Any) -> None:
    next(sound.user_without_mfa(healthy, settings))
    user = User.objects.get(name="carol")
    sound.key(healthy, user, old=100)
    assert found_in(healthy) == ["USER_NO_MFA", "KEY_OLD"]
    lock_down(by=root_of(healthy), user=user, reason="Left the company")
    assert found_in(healthy) == []
    AccessKey.objects.update(status="Active")
    assert found_in(healthy) == []


def test_documents_wait_their_turn(healthy: Account) -> None:
    """What one request has no time for is not claimed, and not forgotten."""
    role = make_role(healthy, "Worker")
    for action in ("iam:PassRole", "ec2:RunInstances", "ec2:StopInstances"):
        never_seen = sound.letting(action, Sid=uuid.uuid4().hex)
        RoleInlinePolicy.objects.create(role=role, name=action[4:], document=sound.document(never_seen))
    rounds = [make_report(healthy.id, READS, most=1) for _ in range(4)]
    assert [report.unread for report in rounds] == [2, 1, 0, 0]
    assert [each.check.code for each in rounds[2].open] == ["JOINT_ESCALATION"]


def test_the_page_in_the_documentation_lists_every_check_as_it_is() -> None:
    written = (Path(__file__).resolve().parents[2] / "docs/security-findings.md").read_text()
    rows = [line for line in written.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{check.code}` | {check.severity} | {KINDS[check.kind]} | {check.title} | {check.why} | {check.remedy} | "
        f"{', '.join(f'`{action}`' for action in check.reads)} |"
        for check in CHECKS
    ]
