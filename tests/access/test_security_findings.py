"""The page of the security findings: who sees what, finding one's way, accepting for a while, and the files."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from access.models import AcceptedFinding
from access.self_check.accepting import accept_finding
from access.self_check.checks import CHECKS, READS
from access.self_check.report import Found, Report, finding_id, make_report
from accounts.models import Account
from audit import clock
from audit.errors import EntityAlreadyExists
from audit.models import Event
from identities.models import MFADevice, User, UserInlinePolicy
from tests.access import sound
from tests.access.sound import make_sound
from tests.cast import allow, browser_of, make_administrator, make_user, principal_of, root_of
from tests.rig.races import THREADS, race

PAGE = reverse("access:security-findings")
ACCEPT = "iamconsole:AcceptFinding"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Days are counted here, and none may end within a test."""
    with time_machine.travel("2026-11-24T12:00Z"):
        yield


@pytest.fixture
def reader(alice: User) -> Any:
    return browser_of(alice)


def shown(browser: Any, query: str = "") -> dict[str, list[str]]:
    """The subjects on the page, by check."""
    reply = browser.get(PAGE + query)
    assert reply.status_code == 200
    return {group.check.code: [row.found.finding.subject for row in group.rows] for group in reply.context["groups"]}


def report_on(account: Account) -> Report:
    return make_report(account.id, READS)


def found(account: Account, code: str) -> Found:
    return next(each for each in report_on(account).open if each.check.code == code)


def address(account: Account, code: str, page: str = "accept") -> str:
    return reverse(f"access:{page}-finding", args=[found_id(account, code)])


def found_id(account: Account, code: str) -> str:
    report = report_on(account)
    return next(each.id_in(account.id) for each in (*report.open, *report.accepted) if each.check.code == code)


def in_days(days: int) -> str:
    return (clock.now() + timedelta(days=days)).date().isoformat()


@pytest.mark.bar(140, 141, 142, 143)
def test_it_shows_what_is_wrong_the_gravest_first_with_the_page_where_it_is_mended(reader: Any, alice: User) -> None:
    make_administrator(alice.account, "otto")
    page = reader.get(PAGE).content.decode()
    codes = list(shown(reader))
    assert codes == [check.code for check in CHECKS if check.code in codes]
    assert shown(reader)["USER_NO_MFA"] == ["alice", "otto"]
    for address in ("/identities/user/alice/credentials/", "/identities/user/alice/permissions/"):
        assert f'href="{address}"' in page
    for check in CHECKS:
        assert (str(check.title) in page.replace("&#x27;", "'")) is True


def test_every_finding_leads_to_a_page_that_is_there(reader: Any, acme: Account, settings: Any) -> None:
    make_sound(acme)
    for _, spoil in (*sound.ROOT, sound.USERS[0], sound.POLICIES[4], sound.POLICIES[5], sound.POLICIES[8]):
        next(spoil(acme, settings))
    links = {row.link for group in reader.get(PAGE).context["groups"] for row in group.rows}
    assert len(links) > 8 and not [link for link in links if reader.get(link).status_code != 200]


def test_nothing_found_says_what_was_checked(acme: Account) -> None:
    make_sound(acme)
    page = browser_of(acme).get(PAGE).content.decode()
    assert "Nothing found" in page and f"{len(CHECKS)} checks found nothing open" in page
    assert f"{len(CHECKS)} checks were made" in page


def test_each_part_is_shown_to_whoever_may_read_what_it_looks_at(bob: User, alice: User) -> None:
    browser = browser_of(bob)
    assert shown(browser) == {}
    page = browser.get(PAGE).content.decode()
    assert "iam:GetAccountAuthorizationDetails" in page and "alice" not in page
    assert "USER_NO_MFA" not in browser.get(reverse("access:security-findings-csv")).content.decode()
    allow(bob, ["iam:GenerateCredentialReport", "iam:GetCredentialReport"])
    assert shown(browser, "?kind=users") == {"USER_NO_MFA": ["alice", "bob"]}
    allow(bob, "iam:GetAccountPasswordPolicy", name="more")
    assert "PASSWORD_LENGTH" in shown(browser)
    assert not {"ADMINISTRATOR", "ROOT_NO_MFA", "NO_AUDITOR"} & shown(browser).keys()


def test_it_is_searched_and_filtered(reader: Any, alice: User, bob: User) -> None:
    assert {name for names in shown(reader, "?q=BOB").values() for name in names} == {"bob"}
    assert shown(reader, "?severity=high") == {"USER_NO_MFA": ["alice", "bob"]}
    assert set(shown(reader, "?kind=account&severity=medium")) == {"PASSWORD_LENGTH"}
    assert shown(reader, "?check=USER_NO_MFA&q=ali") == {"USER_NO_MFA": ["alice"]}
    assert shown(reader, "?severity=none&kind=x&check=y") == shown(reader)
    assert "No finding fits" in reader.get(PAGE + "?q=zzz").content.decode()


def test_many_of_a_kind_are_shown_in_part_and_paged(reader: Any, alice: User) -> None:
    for number in range(60):
        make_user(alice.account, f"user{number:02}")
    assert len(shown(reader)["USER_NO_MFA"]) == 3
    assert "All 61" in reader.get(PAGE).content.decode()
    first, second = (shown(reader, f"?check=USER_NO_MFA&page={page}")["USER_NO_MFA"] for page in (1, 2))
    assert (len(first), len(second)) == (50, 11) and not set(first) & set(second)


def test_the_search_gets_its_part_of_the_page(reader: Any) -> None:
    part = reader.get(PAGE + "?q=alice", headers={"HX-Request": "true"}).content.decode()
    assert "alice" in part and "<html" not in part


def test_what_only_root_can_mend_is_no_link_for_others(acme: Account, alice: User) -> None:
    link = f'href="{reverse("access:my-mfa-devices")}"'
    roots, theirs = (browser_of(who).get(PAGE + "?check=ROOT_NO_MFA").content.decode() for who in (acme, alice))
    assert link in roots and link not in theirs and "Only the root user can mend this" in theirs


def test_an_accepted_finding_is_not_told_until_its_day(reader: Any, acme: Account) -> None:
    form = {"reason": "Until the new phones come", "until": in_days(30)}
    assert reader.get(address(acme, "USER_NO_MFA")).status_code == 200
    assert reader.post(address(acme, "USER_NO_MFA"), form).status_code == 302
    assert "USER_NO_MFA" not in shown(reader)
    accepted = reader.get(PAGE + "?show=accepted").content.decode()
    assert "Until the new phones come" in accepted and "user/alice" in accepted
    event = Event.objects.get(action=ACCEPT)
    assert event.detail["after"]["reason"] == "Until the new phones come" and "USER_NO_MFA" in event.resource
    with time_machine.travel(clock.now() + timedelta(days=31)):
        assert [each.check.code for each in report_on(acme).accepted] == []
        assert found(acme, "USER_NO_MFA").accepted is None


def test_it_can_be_accepted_again_when_its_day_has_come(reader: Any, acme: Account) -> None:
    path = address(acme, "USER_NO_MFA")
    reader.post(path, {"reason": "First", "until": in_days(1)})
    AcceptedFinding.objects.update(until=clock.now())
    reader.post(path, {"reason": "Second", "until": in_days(1)})
    assert AcceptedFinding.objects.get().reason == "Second"


def test_acceptance_is_taken_back(reader: Any, acme: Account) -> None:
    reader.post(address(acme, "USER_NO_MFA"), {"reason": "Soon", "until": in_days(30)})
    path = address(acme, "USER_NO_MFA", "reopen")
    assert "Open again" in reader.get(PAGE + "?show=accepted").content.decode()
    assert reader.post(path).status_code == 302
    assert "USER_NO_MFA" in shown(reader)
    assert Event.objects.get(action="iamconsole:ReopenFinding").detail["before"]["reason"] == "Soon"
    assert reader.post(path).status_code == 404


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"reason": " ", "until": "2026-11-25"}, "This field is required"),
        ({"reason": "x" * 501, "until": "2026-11-25"}, "500 characters"),
        ({"reason": "why", "until": ""}, "This field is required"),
        ({"reason": "why", "until": "2026-11-23"}, "Choose today or a later day"),
        ({"reason": "why", "until": "2027-11-26"}, "at most a year"),
        ({"reason": "why", "until": "9999-12-31"}, "at most a year"),
    ],
)
def test_it_wants_a_reason_and_a_day(reader: Any, acme: Account, form: dict[str, str], said: str) -> None:
    reply = reader.post(address(acme, "USER_NO_MFA"), form)
    assert said in reply.content.decode() and not AcceptedFinding.objects.exists()


def test_it_is_accepted_only_by_whoever_may_and_sees_it(acme: Account, alice: User, bob: User) -> None:
    path, form = address(acme, "USER_NO_MFA"), {"reason": "why", "until": in_days(1)}
    browser = browser_of(bob)
    assert browser.post(path, form).status_code == 403
    allow(bob, ACCEPT)
    # What bob may not read is not there for him, as what is not there at all.
    unknown = reverse("access:accept-finding", args=[finding_id(acme.id, "USER_NO_MFA", "nobody")])
    assert browser.post(path, form).status_code == browser.post(unknown, form).status_code == 404
    allow(bob, ["iam:GenerateCredentialReport", "iam:GetCredentialReport"], name="look")
    assert browser.post(path, form).status_code == 302


def test_acceptance_can_be_allowed_check_by_check(acme: Account, bob: User) -> None:
    allow(bob, [*READS])
    allow(bob, ACCEPT, "arn:aws:iamconsole::*:finding/NO_AUDITOR/*", name="accept")
    browser, form = browser_of(bob), {"reason": "why", "until": in_days(1)}
    assert browser.post(address(acme, "USER_NO_MFA"), form).status_code == 403
    assert browser.get(PAGE).content.decode().count("Accept for a while") == 1
    assert browser.post(address(acme, "NO_AUDITOR"), form).status_code == 302
    allow(bob, "iamconsole:ReopenFinding", "arn:aws:iamconsole::*:finding/USER_NO_MFA/*", name="reopen")
    assert browser.post(address(acme, "NO_AUDITOR", "reopen")).status_code == 403
    assert "Open again" not in browser.get(PAGE + "?show=accepted").content.decode()


def test_a_changed_document_is_a_finding_again(reader: Any, acme: Account, bob: User) -> None:
    allow(bob, "iam:CreatePolicyVersion", name="edit")
    reader.post(address(acme, "ESCALATION"), {"reason": "Bob is trusted", "until": in_days(90)})
    assert "ESCALATION" not in shown(reader)
    allow(bob, ["iam:CreatePolicyVersion", "iam:AttachUserPolicy"], name="edit")
    assert shown(reader)["ESCALATION"] == ["bob"]


def test_another_account_can_neither_see_nor_accept(acme: Account, alice: User, mallory: User) -> None:
    browser = browser_of(mallory)
    assert "alice" not in browser.get(PAGE).content.decode()
    form = {"reason": "why", "until": in_days(1)}
    assert browser.post(address(acme, "USER_NO_MFA"), form).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_many_who_accept_at_once_one_does(acme: Account, alice: User) -> None:
    wanted, until = found(acme, "USER_NO_MFA"), clock.now() + timedelta(days=1)

    def accept(number: int) -> None:
        accept_finding(by=principal_of(alice), found=wanted, reason=f"No. {number}", until=until)

    assert race(accept, EntityAlreadyExists) == THREADS - 1
    assert AcceptedFinding.objects.count() == Event.objects.filter(action=ACCEPT).count() == 1


@pytest.mark.bar(55)
def test_the_files_say_the_same(reader: Any, acme: Account, alice: User) -> None:
    accept_finding(
        by=root_of(acme), found=found(acme, "NO_AUDITOR"), reason="=1+1", until=clock.now() + timedelta(days=1)
    )
    make_user(acme, "=HYPERLINK")
    reply = reader.get(reverse("access:security-findings-csv"))
    rows = list(csv.DictReader(io.StringIO(reply.content.decode())))
    assert "attachment" in reply.headers["Content-Disposition"]
    told = json.loads(reader.get(reverse("access:security-findings-json")).content)
    assert [row["check"] for row in rows] == [each["check"] for each in told["findings"]]
    assert {"'=HYPERLINK", "alice"} <= {row["subject"] for row in rows}
    assert {row["reason"] for row in rows} == {"", "'=1+1"}
    assert {each["subject"] for each in told["findings"]} >= {"=HYPERLINK"}


def test_no_key_id_is_told(reader: Any, acme: Account, settings: Any) -> None:
    """The credential report, which permits to see the findings about keys, names none either."""
    next(sound.key_is_old(acme, settings))
    key_id = User.objects.get(name="carol").access_keys.get().access_key_id
    for path in (PAGE, reverse("access:security-findings-json"), address(acme, "KEY_OLD")):
        assert key_id not in reader.get(path).content.decode()


def test_the_dashboard_tells_how_many_there_are(reader: Any, acme: Account, bob: User) -> None:
    assert f'href="{PAGE}"' in reader.get(reverse("access:dashboard")).content.decode()
    count = reverse("access:count-security-findings")
    told = reader.get(count).content.decode()
    for severity, number in report_on(acme).by_severity():
        assert (f"{number} {severity}" in told) is (number > 0)
    assert browser_of(bob).get(count).content.decode().strip() == ""


def test_it_asks_the_database_as_often_for_many_as_for_few(reader: Any, acme: Account, settings: Any) -> None:
    next(sound.escalation_by_a_group(acme, settings))
    reader.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        reader.get(PAGE)
    for number in range(40):
        user = make_user(acme, f"user{number}")
        sound.key(acme, user, old=100)
        allow(user, "iam:ListUsers", f"arn:aws:iam::*:user/{number}")
        MFADevice.objects.create(account=acme, user=user, name=user.name, slot=1, enabled_at=clock.now())
    reader.get(PAGE)
    with CaptureQueriesContext(connection) as many:
        reader.get(PAGE)
    assert UserInlinePolicy.objects.count() == 40
    assert len(many) <= len(few) <= 32
