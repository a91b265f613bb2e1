from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from access.rotation import Stage, advice_on_deactivating, rotation_of, warning_on_deleting
from identities.models import AccessKey, User
from identities.services.access_keys import create_access_key
from tests.cast import allow, browser_of, principal_of

PAGE, CREATE = reverse("access:rotate-my-access-key"), reverse("access:create-my-access-key")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def made(days_ago: float, *, used_minutes_ago: float | None = None, status: str = "Active") -> AccessKey:
    used = None if used_minutes_ago is None else NOON - timedelta(minutes=used_minutes_ago)
    return AccessKey(created_at=NOON - timedelta(days=days_ago), last_used_at=used, status=status)


@pytest.mark.parametrize(
    ("statuses", "stage"),
    [
        ([], Stage.NO_KEY),
        (["Active"], Stage.MAKE),
        (["Inactive"], Stage.MAKE),
        (["Active", "Active"], Stage.WATCH),
        (["Inactive", "Active"], Stage.DELETE),
        (["Active", "Inactive"], Stage.NEW_IS_INACTIVE),
        (["Inactive", "Inactive"], Stage.BOTH_INACTIVE),
    ],
)
def test_the_keys_say_where_it_stands(statuses: list[str], stage: Stage) -> None:
    assert rotation_of([made(9, status=status) for status in statuses]).stage is stage


@pytest.mark.parametrize(
    ("used_minutes_ago", "new_days_old", "level", "words"),
    [
        (None, 0, "success", "never used"),
        (60, 1, "warning", "some program still has it"),
        (5, 0.001, "warning", "last 15 minutes"),
        (3000, 1, "info", "less than a week"),
        (15000, 8, "success", "Deactivate it"),
    ],
)
def test_it_advises_from_the_last_use(
    used_minutes_ago: float | None, new_days_old: float, level: str, words: str
) -> None:
    old, new = made(100, used_minutes_ago=used_minutes_ago), made(new_days_old)
    advice = advice_on_deactivating(old, new, NOON)
    assert advice.level == level and words in advice.text


def test_it_warns_before_deleting_what_was_used_lately() -> None:
    assert "seven days" in warning_on_deleting(made(100, used_minutes_ago=6 * 24 * 60), NOON)
    assert warning_on_deleting(made(100, used_minutes_ago=8 * 24 * 60), NOON) == ""
    assert warning_on_deleting(made(100), NOON) == ""


def status(browser: Client, key: AccessKey, new: str) -> Any:
    address = reverse("access:update-my-access-key", args=[key.pk])
    return browser.post(address, {"status": new, "rotating": "1"}, follow=True)


def test_the_whole_way_through(alice: User) -> None:
    old, _ = create_access_key(by=principal_of(alice), user=alice)
    browser = browser_of(alice)
    assert "1. Make the second key" in browser.get(PAGE).content.decode()
    form = browser.get(CREATE + "?rotating=1").context["form"]
    made_page = browser.post(CREATE, {"seen": form.present, "rotating": "1"})
    assert PAGE in made_page.content.decode()
    assert "3. Deactivate the old one" in browser.get(PAGE).content.decode()
    assert "4. Delete the old key" in status(browser, old, "Inactive").content.decode()
    delete = reverse("access:delete-my-access-key", args=[old.pk])
    done = browser.post(delete, {"confirmation": old.pk, "rotating": "1"}, follow=True)
    assert "The rotation is finished" in done.content.decode()
    assert [key.pk for key in alice.access_keys.all()] == [made_page.context["key"].pk]


def test_every_step_but_the_last_can_be_undone(alice: User) -> None:
    with time_machine.travel(NOON - timedelta(days=90)):
        old, _ = create_access_key(by=principal_of(alice), user=alice)
    new, _ = create_access_key(by=principal_of(alice), user=alice)
    browser = browser_of(alice)
    status(browser, old, "Inactive")
    assert "3. Deactivate the old one" in status(browser, old, "Active").content.decode()
    assert "The new key is inactive" in status(browser, new, "Inactive").content.decode()
    assert "Both keys are inactive" in status(browser, old, "Inactive").content.decode()
    assert "4. Delete the old key" in status(browser, new, "Active").content.decode()


def test_it_can_be_taken_up_in_another_browser(alice: User) -> None:
    old, _ = (create_access_key(by=principal_of(alice), user=alice)[0] for _ in range(2))
    assert reverse("access:trace-access-key", args=[old.pk]) in browser_of(alice).get(PAGE).content.decode()
    assert browser_of(alice).get(PAGE).context["stage"] == browser_of(alice).get(PAGE).context["stage"] == "WATCH"


def test_without_a_key_there_is_nothing_to_rotate(alice: User) -> None:
    assert "nothing to rotate" in browser_of(alice).get(PAGE).content.decode()


def test_it_requires_permission(bob: User) -> None:
    assert browser_of(bob).get(PAGE).status_code == 403
    allow(bob, "iam:ListAccessKeys", bob.arn)
    assert browser_of(bob).get(PAGE).status_code == 200


@pytest.mark.bar(76)
def test_without_knowing_the_use_it_gives_no_advice(bob: User) -> None:
    allow(bob, "iam:ListAccessKeys", bob.arn)
    for _ in range(2):
        create_access_key(by=principal_of(bob), user=bob)
    reply = browser_of(bob).get(PAGE)
    assert reply.context["advice"] is None and "iam:GetAccessKeyLastUsed" in reply.content.decode()
