import pytest
from django.urls import reverse

from audit.errors import NoSuchEntity
from audit.models import Event
from identities.models import User
from identities.services import boundaries
from policies import services
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, make_user, principal_of
from tests.policies.documents import ALLOW

SECURITY = "arn:aws:iam::aws:policy/SecurityAudit"
POWER = "arn:aws:iam::aws:policy/PowerUserAccess"
SET = reverse("identities:put-user-permissions-boundary", args=["bob"])
REMOVE = reverse("identities:delete-user-permissions-boundary", args=["bob"])


def boundary_of(user: User) -> str:
    user.refresh_from_db()
    return user.boundary.arn if user.boundary else ""


def test_it_is_set_changed_and_removed(alice: User, bob: User) -> None:
    browser = browser_of(alice)
    for arn in (SECURITY, POWER):
        assert browser.post(SET, {"boundary": arn}).status_code == 302
        assert boundary_of(bob) == arn
    assert "any more" in browser.get(REMOVE).content.decode()
    assert browser.post(REMOVE).status_code == 302 and boundary_of(bob) == ""


@pytest.mark.bar(121)
def test_it_records_before_and_after(alice: User, bob: User) -> None:
    policy = ManagedPolicy.objects.get(name="SecurityAudit")
    boundaries.put_user_permissions_boundary(by=principal_of(alice), user=bob, policy=policy)
    boundaries.delete_user_permissions_boundary(by=principal_of(alice), user=bob)
    put, removed = Event.objects.order_by("id")
    assert (put.detail["before"], put.detail["after"]) == (None, SECURITY)
    assert (removed.detail["before"], removed.detail["after"]) == (SECURITY, None)


@pytest.mark.bar(72)
def test_it_limits_at_the_next_decision(alice: User, bob: User) -> None:
    allow(bob, "iam:*")
    browser, groups = browser_of(bob), reverse("identities:list-users")
    assert browser.get(groups).status_code == 200
    browser_of(alice).post(SET, {"boundary": POWER})
    assert browser.get(reverse("policies:create-policy")).status_code == 403


@pytest.mark.bar(61)
def test_another_accounts_policy_is_not_there(alice: User, bob: User, mallory: User) -> None:
    theirs = services.create_policy(by=principal_of(mallory), name="theirs", document=ALLOW)
    with pytest.raises(NoSuchEntity):
        boundaries.put_user_permissions_boundary(by=principal_of(alice), user=bob, policy=theirs)
    assert browser_of(alice).post(SET, {"boundary": theirs.arn}).status_code == 409
    assert browser_of(mallory).post(SET, {"boundary": SECURITY}).status_code == 404
    assert boundary_of(bob) == ""


def test_the_boundary_itself_is_what_may_be_limited(alice: User, bob: User) -> None:
    make_user(alice.account, "carol", console=False)
    only = {"StringEquals": {"iam:PermissionsBoundary": SECURITY}}
    allow(bob, ["iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary"], Condition=only)
    browser = browser_of(bob)
    page, remove = (address.replace("/bob/", "/carol/") for address in (SET, REMOVE))
    assert browser.post(page, {"boundary": POWER}).status_code == 403
    assert browser.post(page, {"boundary": SECURITY}).status_code == 302
    assert browser.post(remove).status_code == 302
    assert browser.post(remove).status_code == 403


def test_nothing_chosen_changes_nothing(alice: User, bob: User) -> None:
    assert b"nothing was changed" in browser_of(alice).post(SET).content


def test_the_page_searches(alice: User, bob: User) -> None:
    page = browser_of(alice).get(SET, {"q": "power"}).content.decode()
    assert "PowerUserAccess" in page and "IAMFullAccess" not in page


@pytest.mark.bar(127)
def test_it_requires_permission(alice: User, bob: User) -> None:
    for name in ("alice", "nobody"):
        page, remove = (address.replace("/bob/", f"/{name}/") for address in (SET, REMOVE))
        assert browser_of(bob).get(page).status_code == 403
        assert browser_of(bob).post(page, {"boundary": SECURITY}).status_code == 403
        assert browser_of(bob).post(remove).status_code == 403
