import csv
import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from accounts.models import Account
from audit import clock
from audit.models import Event
from identities.credential_files import text_cell
from identities.models import AccessKey, User
from identities.services.access_keys import create_access_key
from identities.services.credential_report import COLUMNS
from identities.services.users import create_user
from tests.cast import allow, browser_of, principal_of
from tests.identities.devices import device_of

PAGE = reverse("identities:get-credential-report")
MAKE = reverse("identities:generate-credential-report")
FILE = reverse("identities:get-credential-report-file")


def text_of(reply: Any) -> str:
    return " ".join(reply.content.decode().split())


def found(reply: Any) -> dict[str, list[str]]:
    return {row["title"]: row["names"] for row in reply.context["findings"]}


def test_it_is_made_read_and_downloaded(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    assert "There is no report" in text_of(browser.get(PAGE))
    assert "The report is made." in text_of(browser.post(MAKE, follow=True))
    reply = browser.get(FILE)
    rows = list(csv.reader(io.StringIO(reply.content.decode())))
    assert tuple(rows[0]) == COLUMNS and [row[0] for row in rows[1:]] == ["<root_account>", "alice", "bob"]
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="status_reports_')
    assert Event.objects.filter(action="iam:GenerateCredentialReport").count() == 1


@pytest.mark.bar(55)
@pytest.mark.parametrize("name", ["=1+1", "+1+1", "-1+1", "@SUM"])
def test_a_name_in_the_file_is_never_a_formula(alice: User, name: str) -> None:
    create_user(by=principal_of(alice), name=name)
    browser = browser_of(alice)
    browser.post(MAKE)
    rows = list(csv.reader(io.StringIO(browser.get(FILE).content.decode())))
    assert [row[0] for row in rows[1:]] == ["<root_account>", f"'{name}", "alice"]
    assert all(len(row) == len(COLUMNS) for row in rows) and rows[2][1].endswith(f":user/{name}")


@pytest.mark.bar(55)
@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_begins_as_a_formula(mark: str) -> None:
    """Spreadsheets of some languages take the wide forms, too."""
    assert text_cell(f"{mark}1+1") == f"'{mark}1+1"


def test_it_says_what_to_look_at_first(alice: User, bob: User) -> None:
    device_of(alice)
    create_access_key(by=principal_of(alice), user=alice)
    key, _ = create_access_key(by=principal_of(alice), user=bob)
    AccessKey.objects.filter(pk=key.pk).update(
        created_at=clock.now() - timedelta(days=91),
        status_changed_at=clock.now() - timedelta(days=91),
        last_used_at=clock.now(),
    )
    browser = browser_of(alice)
    assert found(browser.post(MAKE, follow=True)) == {
        "A password and no MFA": ["<root_account>", "bob"],
        "An active access key older than 90 days": ["bob"],
        "An active access key that was never used": ["alice"],
        "A password not used for 90 days": [],
    }


def test_a_password_that_nobody_uses_is_found(alice: User, bob: User) -> None:
    with time_machine.travel(clock.now() + timedelta(days=91), tick=False):
        reply = browser_of(alice).post(MAKE, follow=True)
        assert found(reply)["A password not used for 90 days"] == ["alice", "bob"]


def test_after_four_hours_a_new_one_is_made(alice: User) -> None:
    browser_of(alice).post(MAKE)
    assert "of the last four hours already" in text_of(browser_of(alice).post(MAKE, follow=True))
    with time_machine.travel(clock.now() + timedelta(hours=4), tick=False):
        assert "There is no report" in text_of(browser_of(alice).get(PAGE))
        assert browser_of(alice).get(FILE).status_code == 400


def test_reading_and_making_are_two_permissions(bob: User) -> None:
    allow(bob, "iam:GetCredentialReport")
    browser = browser_of(bob)
    assert "Generate report" not in text_of(browser.get(PAGE)) and browser.post(MAKE).status_code == 403
    allow(bob, "iam:GenerateCredentialReport")
    assert browser.post(MAKE).status_code == 302 and browser.get(FILE).status_code == 403


def test_each_account_has_its_own(alice: User, mallory: User, globex: Account) -> None:
    browser_of(alice).post(MAKE)
    assert "There is no report" in text_of(browser_of(mallory).get(PAGE))
