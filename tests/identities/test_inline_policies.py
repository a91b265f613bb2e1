"""Inline policies of users and groups: written, read, deleted."""

from collections.abc import Callable

import pytest
from django.urls import reverse

from audit.errors import ConcurrentModification, EntityAlreadyExists, LimitExceeded, NoSuchEntity, ValidationError
from audit.models import Event
from identities.models import Group, User
from identities.services import inline_policies
from policies.documents import DocumentRefused
from tests.cast import allow, browser_of, principal_of
from tests.policies.documents import ALLOW, GROUP_PRINCIPAL, OTHER, REFUSED, of_size

Put = Callable[..., object]
KINDS = ["user", "group"]


@pytest.fixture
def group(alice: User) -> Group:
    return Group.objects.create(account=alice.account, name="admins", unique_id="AGPAADMINS")


@pytest.fixture
def owners(bob: User, group: Group) -> dict[str, User | Group]:
    return {"user": bob, "group": group}


@pytest.fixture
def put(alice: User, owners: dict[str, User | Group]) -> Put:
    def put_policy(kind: str, name: str = "own", document: str = ALLOW, **more: str) -> object:
        service = getattr(inline_policies, f"put_{kind}_policy")
        return service(by=principal_of(alice), name=name, document=document, **{kind: owners[kind]}, **more)

    return put_policy


def address(action: str, kind: str, *more: str) -> str:
    return reverse(f"identities:{action.format(kind)}", args=[{"user": "bob", "group": "admins"}[kind], *more])


def documents(owner: User | Group) -> dict[str, str]:
    return dict(owner.inline_policies.values_list("name", "document"))


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_and_overwrites(put: Put, owners: dict[str, User | Group], kind: str) -> None:
    put(kind)
    put(kind, document=OTHER)
    assert documents(owners[kind]) == {"own": OTHER}
    first, second = Event.objects.filter(action=f"iam:Put{kind.capitalize()}Policy").order_by("id")
    assert (first.detail["before"], first.detail["after"]) == (None, ALLOW)
    assert (second.detail["before"], second.detail["after"]) == (ALLOW, OTHER)


@pytest.mark.parametrize(("kind", "limit"), [("user", 2048), ("group", 5120)])
def test_all_together_fit_a_quota(put: Put, owners: dict[str, User | Group], kind: str, limit: int) -> None:
    put(kind, "first", of_size(1000).replace(",", ",\n\n  "))
    put(kind, "second", of_size(limit - 1000))
    with pytest.raises(LimitExceeded, match=f"Maximum policy size of {limit} bytes exceeded for {kind}"):
        put(kind, "second", of_size(limit - 999))
    put(kind, "first", of_size(999))
    put(kind, "second", of_size(limit - 999))


@pytest.mark.bar(60, 66)
@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses_documents_it_would_not_understand(put: Put, owners: dict[str, User | Group], document: str) -> None:
    for kind in KINDS:
        with pytest.raises(DocumentRefused):
            put(kind, document=document)
        assert documents(owners[kind]) == {}


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 129])
def test_it_refuses_bad_names(put: Put, name: str) -> None:
    with pytest.raises(ValidationError):
        put("user", name)


def test_it_notices_what_happened_meanwhile(put: Put) -> None:
    put("user")
    with pytest.raises(EntityAlreadyExists):
        put("user", digest_seen="")
    with pytest.raises(ConcurrentModification, match="changed"):
        put("user", digest_seen="0" * 64)
    with pytest.raises(ConcurrentModification, match="deleted"):
        put("user", "gone", digest_seen="0" * 64)


@pytest.mark.parametrize("kind", KINDS)
def test_it_deletes(alice: User, put: Put, owners: dict[str, User | Group], kind: str) -> None:
    put(kind)
    delete = getattr(inline_policies, f"delete_{kind}_policy")
    delete(by=principal_of(alice), name="own", **{kind: owners[kind]})
    assert documents(owners[kind]) == {}
    assert Event.objects.get(action=f"iam:Delete{kind.capitalize()}Policy").detail["before"] == ALLOW
    with pytest.raises(NoSuchEntity, match=f"The {kind} policy with name own cannot be found."):
        delete(by=principal_of(alice), name="own", **{kind: owners[kind]})


@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_do_it_all(alice: User, owners: dict[str, User | Group], kind: str) -> None:
    browser = browser_of(alice)
    page = browser.post(address("put-{}-policy", kind), {"name": "own", "document": ALLOW, "digest_seen": ""})
    assert page.status_code == 302 and documents(owners[kind]) == {"own": ALLOW}
    assert "iam:ListUsers" in browser.get(address("get-{}-policy", kind, "own")).content.decode()
    change = address("put-{}-policy-change", kind, "own")
    seen = owners[kind].inline_policies.get().digest
    assert browser.get(change).context["form"]["digest_seen"].value() == seen
    assert browser.post(change, {"document": OTHER, "digest_seen": seen}).status_code == 302
    assert documents(owners[kind]) == {"own": OTHER}
    delete = address("delete-{}-policy", kind, "own")
    assert "be brought back" in browser.get(delete).content.decode()
    assert browser.post(delete).status_code == 302 and documents(owners[kind]) == {}


def test_a_stale_page_says_so_and_keeps_what_was_typed(alice: User, put: Put, bob: User) -> None:
    put("user", document=OTHER)
    change, typed = address("put-{}-policy-change", "user", "own"), ALLOW.replace("ListUsers", "ListGroups")
    browser = browser_of(alice)
    page = browser.post(change, {"document": typed, "digest_seen": "0" * 64})
    shown = page.content.decode()
    assert "Somebody changed the inline policy own" in shown and "iam:ListGroups" in shown and "iam:GetUser" in shown
    again = {"document": typed, "digest_seen": page.context["form"]["digest_seen"].value()}
    assert browser.post(change, again).status_code == 302 and documents(bob) == {"own": typed}


def test_a_refused_document_is_kept_with_its_findings(alice: User, bob: User) -> None:
    page = browser_of(alice).post(address("put-{}-policy", "user"), {"name": "own", "document": GROUP_PRINCIPAL})
    shown = page.content.decode()
    assert "is a group, and groups are not principals" in shown and 'value="own"' in shown
    assert documents(bob) == {}


@pytest.mark.bar(127)
@pytest.mark.parametrize("kind", KINDS)
def test_it_requires_permission(bob: User, put: Put, kind: str) -> None:
    put(kind)
    browser = browser_of(bob)
    named = [address(f"{verb}-{{}}-policy", kind, "own") for verb in ("get", "delete")]
    for page in (*named, address("put-{}-policy", kind), address("put-{}-policy-change", kind, "own")):
        assert browser.get(page).status_code == 403
    assert browser.post(address("put-{}-policy", kind), {"name": "x", "document": ALLOW}).status_code == 403


def test_writing_needs_no_reading_but_changing_does(bob: User, put: Put) -> None:
    allow(bob, "iam:PutUserPolicy")
    browser = browser_of(bob)
    assert browser.get(address("put-{}-policy", "user")).status_code == 200
    assert browser.get(address("put-{}-policy-change", "user", "allowed")).status_code == 403


@pytest.mark.bar(61)
@pytest.mark.parametrize("kind", KINDS)
def test_it_hides_other_accounts(mallory: User, put: Put, kind: str) -> None:
    put(kind)
    browser = browser_of(mallory)
    assert browser.get(address("get-{}-policy", kind, "own")).status_code == 404
    assert browser.post(address("delete-{}-policy", kind, "own")).status_code == 404
    assert browser.post(address("put-{}-policy", kind), {"name": "x", "document": ALLOW}).status_code == 404
