"""The pages of route tables: list, make, see, try out, change, a token, delete."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from access.models import RouteTable
from access.route_tables import create_route_table, find_by_token, rotate_route_table_token
from accounts.models import Account
from audit.models import Event
from identities.models import User
from tests.cast import allow, browser_of, principal_of

ROUTES = "GET api.example.com /orders/{order} orders:GetOrder arn:aws:orders::{account}:order/{order}"
NEW = {"name": "orders", "signing_name": "orders", "routes": ROUTES}


@pytest.fixture
def table(alice: User) -> RouteTable:
    return create_route_table(by=principal_of(alice), **NEW)


def page(who: User, name: str, /, *words: str, **query: str) -> Any:
    return browser_of(who).get(reverse(f"access:{name}", args=words), query)


def post(who: User, name: str, /, *words: str, **form: str) -> Any:
    return browser_of(who).post(reverse(f"access:{name}", args=words), form)


def test_it_makes_a_table(alice: User) -> None:
    assert post(alice, "create-route-table", **NEW).status_code == 302
    table = RouteTable.objects.get()
    assert (table.arn, table.token_hash) == ("arn:aws:iamconsole::111122223333:route-table/orders", None)
    event = Event.objects.get(action="iamconsole:CreateRouteTable")
    assert event.detail["after"]["routes"] == ROUTES


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"routes": "GET *"}, "Line 1: write methods, host, path, action and resource"),
        ({"name": "a b"}, "name of a route table"),
        ({"signing_name": "Or ders"}, "Use small letters"),
    ],
)
def test_it_says_what_is_wrong_and_keeps_what_was_typed(alice: User, form: dict[str, str], message: str) -> None:
    reply = post(alice, "create-route-table", **{**NEW, **form})
    text = reply.content.decode()
    assert reply.status_code == 200 and message in text
    assert all(value in text for value in form.values())
    assert not RouteTable.objects.exists()


def test_a_name_is_taken_once_in_whatever_case(alice: User, table: RouteTable) -> None:
    reply = post(alice, "create-route-table", **{**NEW, "name": "ORDERS"})
    assert "already exists" in reply.content.decode()


def test_there_is_a_quota(alice: User, acme: Account, table: RouteTable) -> None:
    Account.objects.filter(pk=acme.pk).update(quota_overrides={"route_tables": 1})
    reply = post(alice, "create-route-table", **{**NEW, "name": "more"})
    assert "Cannot exceed quota for RouteTablesPerAccount: 1" in reply.content.decode()


def test_it_lists_and_finds_them(alice: User, table: RouteTable) -> None:
    assert "orders" in page(alice, "list-route-tables").content.decode()
    assert "No route table fits" in page(alice, "list-route-tables", q="nothing").content.decode()


def test_it_tries_a_request_out(alice: User, bob: User, table: RouteTable) -> None:
    tried = {"method": "GET", "host": "api.example.com", "path": "/orders/7?x=1"}
    text = page(alice, "get-route-table", "orders", **tried).content.decode()
    assert "arn:aws:orders::111122223333:order/7" in text
    assert "no route fits" in page(alice, "get-route-table", "orders", **{**tried, "path": "/x"}).content.decode()
    assert "two ways" in page(alice, "get-route-table", "orders", **{**tried, "path": "/orders/.."}).content.decode()
    allow(bob, "orders:GetOrder")
    assert ">Allowed<" in page(alice, "get-route-table", "orders", **tried, user="bob").content.decode()
    assert "There is no user carol" in page(alice, "get-route-table", "orders", **tried, user="carol").content.decode()


@pytest.mark.bar(127)
def test_a_decision_is_shown_to_who_may_simulate(bob: User, table: RouteTable) -> None:
    allow(bob, "iamconsole:GetRouteTable")
    tried = {"method": "GET", "host": "api.example.com", "path": "/orders/7"}
    there, nowhere = (
        page(bob, "get-route-table", "orders", **tried, user=name).content.decode() for name in ("alice", "dora")
    )
    assert "iam:SimulatePrincipalPolicy</code> on this user" in there
    assert there.count("alice") == nowhere.count("dora") > 0


def test_it_changes_a_table(alice: User, table: RouteTable) -> None:
    routes = ROUTES.replace("GET", "GET,HEAD")
    form = {"signing_name": "shop", "routes": routes, "seen": ""}
    assert post(alice, "update-route-table", "orders", **form).status_code == 302
    table.refresh_from_db()
    assert (table.signing_name, table.routes) == ("shop", routes)


def test_a_change_of_something_changed_since_is_refused(alice: User, table: RouteTable) -> None:
    reply = post(alice, "update-route-table", "orders", signing_name="orders", routes="", seen="of yesterday")
    assert "Somebody changed this table" in reply.content.decode()
    assert RouteTable.objects.get().routes == ROUTES


def test_a_token_is_shown_once_and_kept_as_a_hash(alice: User, table: RouteTable) -> None:
    reply = post(alice, "rotate-route-table-token", "orders")
    token = reply.context["token"]
    assert token in reply.content.decode() and reply.headers["Cache-Control"] == "no-store"
    assert find_by_token(token) == table
    table.refresh_from_db()
    assert token not in str(vars(table)) + str(list(Event.objects.values()))
    assert token not in page(alice, "get-route-table", "orders").content.decode()


def test_it_deletes_a_table_when_its_name_is_typed(alice: User, table: RouteTable) -> None:
    token = rotate_route_table_token(by=principal_of(alice), table=table)
    assert post(alice, "delete-route-table", "orders", confirmation="order").status_code == 200
    assert RouteTable.objects.exists()
    assert post(alice, "delete-route-table", "orders", confirmation="orders").status_code == 302
    assert find_by_token(token) is None


@pytest.mark.bar(127)
def test_it_hides_other_accounts(mallory: User, table: RouteTable) -> None:
    assert page(mallory, "get-route-table", "orders").status_code == 404
    assert "orders" not in page(mallory, "list-route-tables").content.decode().split("<main")[1]


def test_it_requires_permission_on_the_table(bob: User, table: RouteTable) -> None:
    allow(bob, "iamconsole:*", "arn:aws:iamconsole::111122223333:route-table/other")
    for name in ("get-route-table", "update-route-table", "delete-route-table"):
        assert page(bob, name, "orders").status_code == 403
    assert post(bob, "rotate-route-table-token", "orders").status_code == 403
    assert post(bob, "create-route-table", **{**NEW, "name": "third"}).status_code == 403


def test_a_stranger_sees_nothing(client: Client, table: RouteTable) -> None:
    assert client.get(reverse("access:list-route-tables")).status_code == 302
