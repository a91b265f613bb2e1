"""Taking on a role in the console, and coming back."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from access import cookies, sessions
from access.forms.switch_role import COLORS, nearest_color
from access.models import ConsoleSession, RecentRole, SessionKind
from access.session_tokens import open_token
from accounts.models import Account
from audit import clock
from audit.models import Event
from identities.models import Role, User
from identities.sealed import box
from identities.services.roles import create_role, delete_role, update_assume_role_policy
from tests.access.steps import DASHBOARD, cookie, facts, give_cookie, is_in
from tests.cast import ORIGIN, PASSWORD, allow, browser_of, principal_of

SWITCH, BACK, OVER = (reverse(f"access:{name}") for name in ("switch-role", "switch-back", "role-over"))


@pytest.fixture(autouse=True)
def noon() -> Iterator[Any]:
    with time_machine.travel("2026-11-24T12:00:10Z", tick=False) as traveller:
        yield traveller


def trusting(*names: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(names)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def readers(alice: User, bob: User) -> Role:
    """Bob may take it on."""
    return create_role(by=principal_of(alice), name="Readers", trust=trusting(bob.arn))


def switch(browser: Client, role: str = "Readers", account: str = "acme", **more: str) -> Any:
    return browser.post(SWITCH, {"account": account, "role_name": role, **more})


def acting(browser: Client) -> str:
    return str(browser.get(DASHBOARD).context["principal"].arn)


def test_one_acts_as_the_role_and_comes_back(bob: User, readers: Role) -> None:
    browser = browser_of(bob)
    assert switch(browser).status_code == 302
    assert acting(browser) == "arn:aws:sts::111122223333:assumed-role/Readers/bob"
    assert browser.post(BACK).status_code == 302
    assert acting(browser) == bob.arn


def test_the_bar_says_who_one_is_and_for_how_long(bob: User, readers: Role) -> None:
    browser = browser_of(bob)
    switch(browser, display_name="Read only", color="b5301c")
    page = browser.get(DASHBOARD).content.decode()
    for words in ("Read only", "role-b5301c", "Back to bob", 'data-ends="2026-11-24T13:00:10'):
        assert words in page


def test_the_bar_shows_the_roles_own_name_beside_what_a_link_calls_it(bob: User, readers: Role) -> None:
    """Or a link could let an administrator's role pass for a harmless one."""
    browser, own = browser_of(bob), 'own name">Readers</span>'
    switch(browser, display_name="Visitors")
    page = browser.get(DASHBOARD).content.decode()
    # On a phone the bar has room for one name, behind whose button the other stands.
    assert own in page and '<span class="text-truncate">Readers</span>' in page
    switch(browser)
    assert own not in browser.get(DASHBOARD).content.decode()


def test_only_what_the_role_may_is_allowed(alice: User, bob: User, readers: Role) -> None:
    allow(bob, "iam:ListUsers")
    browser, users = browser_of(bob), reverse("identities:list-users")
    assert browser.get(users).status_code == 200
    switch(browser)
    assert browser.get(users).status_code == 403


def test_a_link_fills_the_form_in_and_does_nothing(bob: User, readers: Role) -> None:
    browser = browser_of(bob)
    link = {"account": "acme", "roleName": "Readers", "displayName": "R", "color": "1D7A3C"}
    form = browser.get("/switchrole", link).context["form"]
    assert [form[name].value() for name in form.fields] == ["acme", "Readers", "R", "1d7a3c"]
    assert acting(browser) == bob.arn


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        *(("F2B0A9", "Red"), ("FBBF93", "Orange"), ("fad791", "Yellow"), ("B7CA9D", "Green"), ("99BCE3", "Blue")),
        *(("#00FF00", "Green"), ("0a0aff", "Blue"), ("ff0020", "Red"), ("green", "Green"), ("Blue", "Blue")),
        *(("7a7a7a", "None"), ("000000", "None"), ("none", "None"), ("mauve", "None"), ("", "None"), ("f2b0a", "None")),
    ],
)
def test_a_link_made_for_aws_gets_the_nearest_of_our_colors(given: str, ours: str) -> None:
    assert nearest_color(given) == {name: value for value, name in COLORS}[ours]


@pytest.mark.bar(127)
def test_a_role_that_lets_one_not_in_and_one_that_is_not_there_are_refused_alike(
    alice: User, bob: User, globex: Account
) -> None:
    create_role(by=principal_of(alice), name="Closed", trust=trusting(alice.arn))
    browser = browser_of(bob)
    answers = [
        switch(browser, role, account).content.decode().replace(role, "ROLE")
        for role, account in (("Closed", "acme"), ("Absent", "acme"))
    ]
    first, second = (page.partition('role="alert"')[2].partition("</div>")[0] for page in answers)
    assert first == second and "is not authorized to perform: sts:AssumeRole" in first
    assert Event.objects.filter(action="sts:AssumeRole", outcome="Denied", principal_arn=bob.arn).count() == 2
    assert acting(browser) == bob.arn


def test_what_was_typed_is_kept(bob: User, acme: Account) -> None:
    page = switch(browser_of(bob), "ops/Absent", display_name="Mine").context["form"]
    assert (page["role_name"].value(), page["display_name"].value()) == ("ops/Absent", "Mine")
    assert "slashes" in switch(browser_of(bob), "a b").content.decode()


@pytest.mark.bar(77)
def test_root_switches_to_nothing(acme: Account, alice: User, readers: Role) -> None:
    reply = switch(browser_of(acme))
    assert "The root user can't switch roles" in reply.content.decode()
    assert not ConsoleSession.objects.exclude(acting_token="").exists()


@pytest.mark.bar(35)
def test_every_switch_gives_the_session_another_id(bob: User, readers: Role) -> None:
    browser = browser_of(bob)
    tokens = [cookie(browser, cookies.SESSION)]
    for go in (lambda: switch(browser), lambda: switch(browser), lambda: browser.post(BACK)):
        go()
        tokens.append(cookie(browser, cookies.SESSION))
    assert len(set(tokens)) == 4
    for old in tokens[:-1]:
        give_cookie(other := Client(), cookies.SESSION, old)
        assert not is_in(other)


@pytest.mark.bar(44)
def test_a_form_of_one_identity_fails_under_the_other(bob: User, readers: Role) -> None:
    browser = browser_of(bob, enforce_csrf=True)
    own = str(browser.get(DASHBOARD).context["csrf_token"])
    fields = {"account": "acme", "role_name": "Readers", "csrfmiddlewaretoken": own}
    assert browser.post(SWITCH, fields).status_code == 302
    assert browser.post(reverse("access:end-other-sessions"), {"csrfmiddlewaretoken": own}).status_code == 403
    of_role = str(browser.get(DASHBOARD).context["csrf_token"])
    assert browser.post(BACK, {"csrfmiddlewaretoken": of_role}).status_code == 302
    assert browser.post(reverse("access:end-other-sessions"), {"csrfmiddlewaretoken": of_role}).status_code == 403


@pytest.mark.bar(37)
def test_the_role_ends_with_its_time_and_nobody_goes_on_as_themselves_unasked(
    bob: User, readers: Role, noon: Any
) -> None:
    browser = browser_of(bob)
    switch(browser)
    for _ in range(4):
        noon.shift(timedelta(minutes=15))
        reply = browser.get(DASHBOARD)
    assert reply.status_code == 302 and reply.headers["Location"] == OVER
    assert browser.post(reverse("access:end-other-sessions")).headers["Location"] == OVER
    page = browser.get(OVER).content.decode()
    assert "Go on as bob" in page and "Take on Readers again" in page
    browser.post(BACK)
    assert acting(browser) == bob.arn


@pytest.mark.bar(90)
@pytest.mark.parametrize("how", ["deleted", "recreated"])
def test_a_role_that_is_gone_ends_at_once(alice: User, bob: User, readers: Role, how: str) -> None:
    browser = browser_of(bob)
    switch(browser)
    delete_role(by=principal_of(alice), role=readers)
    if how == "recreated":
        create_role(by=principal_of(alice), name="Readers", trust=trusting(bob.arn))
    assert browser.get(DASHBOARD).headers["Location"] == OVER


def test_who_is_not_over_has_no_page_of_the_end(bob: User) -> None:
    assert browser_of(bob).get(OVER).headers["Location"] == DASHBOARD


def test_the_user_authorises_the_next_switch_and_not_the_role(alice: User, bob: User, readers: Role) -> None:
    second = create_role(by=principal_of(alice), name="Second", trust=trusting(readers.arn))
    browser = browser_of(bob)
    switch(browser)
    assert switch(browser, "Second").status_code == 200
    update_assume_role_policy(by=principal_of(alice), role=second, document=trusting(bob.arn))
    assert switch(browser, "Second").status_code == 302
    assert acting(browser).endswith("assumed-role/Second/bob")


def test_a_role_of_another_account(bob: User, mallory: User) -> None:
    create_role(by=principal_of(mallory), name="Guests", trust=trusting(bob.arn), path="/visit/")
    allow(bob, "sts:AssumeRole")
    browser = browser_of(bob)
    assert switch(browser, "visit/Guests", "globex").status_code == 302
    page = browser.get(DASHBOARD)
    assert page.context["principal"].account_id == "444455556666" and page.context["account"].alias == "globex"


@pytest.mark.bar(9, 61)
@pytest.mark.parametrize("address", [SWITCH, reverse("access:get-temporary-credentials")])
def test_a_refusal_does_not_tell_whose_an_alias_is_or_whether_it_is_anybodys(
    bob: User, mallory: User, address: str
) -> None:
    create_role(by=principal_of(mallory), name="Guests", trust=trusting(mallory.arn))
    allow(bob, "sts:AssumeRole")
    browser, told = browser_of(bob), []
    for alias in ("globex", "globey"):
        reply = browser.post(address, {"account": alias, "role_name": "Guests", "seconds": "3600"})
        event = Event.objects.filter(outcome="Denied").last()
        assert event is not None and event.resource == f"arn:aws:iam::{alias}:role/Guests"
        assert "444455556666" not in reply.content.decode() + json.dumps(event.explanation)
        told.append(facts(reply, (alias, "ALIAS"), (str(event.event_id), "EVENT")))
    assert told[0] == told[1]


def test_a_role_has_no_credentials_of_its_own(bob: User, readers: Role) -> None:
    browser = browser_of(bob)
    switch(browser)
    for name in ("my-credentials", "my-access-keys", "my-password", "my-mfa-devices"):
        reply = browser.get(reverse(f"access:{name}"))
        assert reply.status_code in (400, 403), name
        assert "AKIA" not in reply.content.decode()
        assert "Reload the page" not in reply.content.decode(), "Reloading helps nobody who only looked."


def test_the_navigation_leads_to_ones_own_credentials_only_where_there_are_any(bob: User, readers: Role) -> None:
    browser = browser_of(bob)
    as_oneself = browser.get(DASHBOARD).content.decode()
    switch(browser)
    as_the_role = browser.get(DASHBOARD).content.decode()
    assert ["My security credentials" in page for page in (as_oneself, as_the_role)] == [True, False]


def test_the_trail_tells_what_was_done_as_a_role_from_what_was_done_as_oneself(
    alice: User, bob: User, readers: Role
) -> None:
    browser = browser_of(bob)
    browser.get(reverse("audit:lookup-events"))
    assert "as role" not in browser_of(alice).get(reverse("audit:lookup-events")).content.decode()
    switch(browser)
    browser.get(reverse("audit:lookup-events"))
    assert browser_of(alice).get(reverse("audit:lookup-events")).content.decode().count("as role Readers") == 1


@pytest.mark.bar(121)
@pytest.mark.parametrize(
    ("view", "form", "action"),
    [
        ("sign-out", {}, "signin:ConsoleLogout"),
        ("confirm", {"password": PASSWORD}, "signin:ConfirmIdentity"),
        ("end-other-sessions", {}, "iamconsole:EndConsoleSession"),
    ],
)
def test_what_one_does_to_ones_own_session_is_in_the_trail_of_ones_own_account(
    bob: User, mallory: User, view: str, form: dict[str, str], action: str
) -> None:
    """Also while one acts as a role of another account, whose people have nothing to do with it."""
    create_role(by=principal_of(mallory), name="Guests", trust=trusting(bob.arn))
    allow(bob, "sts:AssumeRole")
    browser = browser_of(bob)
    switch(browser, "Guests", "globex")
    browser.post(reverse(f"access:{view}"), form)
    found = Event.objects.filter(action=action)
    assert [(event.account_id, event.principal_arn) for event in found] == [(bob.account_id, bob.arn)]


def test_the_last_five_roles_are_offered_again(alice: User, bob: User) -> None:
    browser = browser_of(bob)
    for number in range(6):
        create_role(by=principal_of(alice), name=f"Role{number}", trust=trusting(bob.arn))
        switch(browser, f"Role{number}")
        browser.post(BACK)
    assert [role.role_name for role in browser.get(SWITCH).context["recent"]] == [f"Role{n}" for n in (5, 4, 3, 2, 1)]
    assert RecentRole.objects.filter(user=bob).count() == 5


def test_it_records_the_switch_and_what_the_role_does(bob: User, readers: Role) -> None:
    browser = browser_of(bob)
    switch(browser)
    browser.get(reverse("identities:list-users"))
    browser.post(BACK)
    actions = list(Event.objects.filter(account_id=bob.account_id).order_by("id").values_list("action", flat=True))
    assert actions[-4:] == ["sts:AssumeRole", "signin:SwitchRole", "iam:ListUsers", "signin:ExitRole"]
    assert Event.objects.get(action="iam:ListUsers").principal_type == "role-session"


@pytest.mark.bar(41)
def test_what_a_session_keeps_of_a_role_opens_nothing_for_a_program(bob: User, readers: Role) -> None:
    switch(browser_of(bob))
    session = ConsoleSession.objects.get(user=bob)
    secret = open_token(session.acting_token, session.acting_key_id, box()).secret
    assert secret and secret not in str(list(ConsoleSession.objects.values()))


def test_nobody_without_a_user_passes_for_root(acme: Account) -> None:
    for kind in (SessionKind.FEDERATED, SessionKind.USER):
        with pytest.raises(IntegrityError), transaction.atomic():
            ConsoleSession.objects.create(
                token_hash=kind, account=acme, kind=kind, expires_at=clock.now() + timedelta(hours=1)
            )


def from_outside(bob: User, role: Role) -> Client:
    """A browser of somebody who signed in elsewhere and acts as a role."""
    switch(browser := browser_of(bob), role.name)
    session = ConsoleSession.objects.exclude(acting_token="").get(user=bob)
    opened = sessions.open_federated_session(
        account_id=role.account_id,
        credentials=sessions.SessionCredentials(session.acting_key_id, session.acting_token),
        expires_at=clock.now() + timedelta(hours=1),
        origin=ORIGIN,
        came_from="https://login.example/",
    )
    browser.post(BACK)
    give_cookie(outside := Client(), cookies.SESSION, opened.token)
    return outside


def test_who_came_from_outside_is_the_role_and_never_root(acme: Account, bob: User, readers: Role) -> None:
    root, stranger, outside = browser_of(acme), from_outside(bob, readers), from_outside(bob, readers)
    assert acting(outside).endswith("assumed-role/Readers/bob")
    assert len(outside.get(reverse("access:sessions")).context["page"]) == 1
    outside.post(reverse("access:end-other-sessions"))
    assert is_in(root) and is_in(stranger)
    assert "for yourself" not in outside.get(DASHBOARD).content.decode()


def test_who_came_from_outside_proves_themselves_there(bob: User, readers: Role, noon: Any) -> None:
    outside = from_outside(bob, readers)
    page = outside.post(reverse("access:confirm"), {"password": "harbour lantern quilt 7731"})
    assert page.status_code == 200 and "https://login.example/" in page.content.decode()


def test_an_outside_sign_in_ends_with_its_role(alice: User, bob: User, readers: Role) -> None:
    outside = from_outside(bob, readers)
    delete_role(by=principal_of(alice), role=readers)
    assert not is_in(outside)
    assert not ConsoleSession.objects.filter(kind=SessionKind.FEDERATED).exists()
