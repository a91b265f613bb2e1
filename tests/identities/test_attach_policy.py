"""Attaching managed policies to users and groups, and detaching them."""

import pytest
from django.urls import reverse

from accounts.models import Account
from audit.errors import LimitExceeded, NoSuchEntity
from audit.models import Event
from identities.models import Group, User
from identities.services import attachments
from policies import services
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, make_user, principal_of
from tests.policies.documents import ALLOW

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SECURITY = "arn:aws:iam::aws:policy/SecurityAudit"


@pytest.fixture
def group(alice: User) -> Group:
    return Group.objects.create(account=alice.account, name="admins", unique_id="AGPAADMINS")


@pytest.fixture
def policies(alice: User) -> list[ManagedPolicy]:
    by = principal_of(alice)
    return [services.create_policy(by=by, name=f"policy-{number}", document=ALLOW) for number in range(11)]


def address(action: str, name: str = "bob") -> str:
    return reverse(f"identities:{action}", args=[name])


def held(owner: User | Group) -> set[str]:
    return {attachment.policy.name for attachment in owner.attachments.select_related("policy")}


def test_it_attaches_and_detaches(alice: User, bob: User, group: Group, policies: list[ManagedPolicy]) -> None:
    by, policy = principal_of(alice), policies[0]
    attachments.attach_user_policy(by=by, user=bob, policy=policy)
    attachments.attach_group_policy(by=by, group=group, policy=policy)
    assert held(bob) == held(group) == {"policy-0"}
    attachments.detach_user_policy(by=by, user=bob, policy=policy)
    attachments.detach_group_policy(by=by, group=group, policy=policy)
    assert held(bob) == held(group) == set()


def test_attaching_twice_is_no_error(alice: User, bob: User, policies: list[ManagedPolicy]) -> None:
    for _ in range(2):
        attachments.attach_user_policy(by=principal_of(alice), user=bob, policy=policies[0])
    assert bob.attachments.count() == 1
    changed = Event.objects.filter(action="iam:AttachUserPolicy").order_by("id")
    assert [event.detail["changed"] for event in changed] == [True, False]


def test_a_place_that_became_free_is_taken_again(alice: User, bob: User, policies: list[ManagedPolicy]) -> None:
    by = principal_of(alice)
    for policy in policies[:4]:
        attachments.attach_user_policy(by=by, user=bob, policy=policy.arn)
    for policy in (policies[1], policies[2], policies[0]):
        attachments.detach_user_policy(by=by, user=bob, policy=policy)
        attachments.attach_user_policy(by=by, user=bob, policy=policies[5])
        assert sorted(bob.attachments.values_list("slot", flat=True)) == [1, 2, 3, 4]
        attachments.detach_user_policy(by=by, user=bob, policy=policies[5])
        attachments.attach_user_policy(by=by, user=bob, policy=policy)


def test_a_policy_is_found_by_its_exact_arn(alice: User, bob: User, policies: list[ManagedPolicy]) -> None:
    for arn in (policies[0].arn.replace("policy-0", "POLICY-0"), "arn:aws:iam::444455556666:policy/policy-0"):
        with pytest.raises(NoSuchEntity):
            attachments.attach_user_policy(by=principal_of(alice), user=bob, policy=arn)
    assert held(bob) == set()


def test_detaching_what_is_not_attached_is_one(
    alice: User, bob: User, group: Group, policies: list[ManagedPolicy]
) -> None:
    with pytest.raises(NoSuchEntity):
        attachments.detach_user_policy(by=principal_of(alice), user=bob, policy=policies[0])
    with pytest.raises(NoSuchEntity):
        attachments.detach_group_policy(by=principal_of(alice), group=group, policy=policies[0])


def test_an_eleventh_policy_is_refused(alice: User, bob: User, group: Group, policies: list[ManagedPolicy]) -> None:
    by = principal_of(alice)
    for policy in policies[:10]:
        attachments.attach_user_policy(by=by, user=bob, policy=policy)
        attachments.attach_group_policy(by=by, group=group, policy=policy)
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for PoliciesPerUser: 10"):
        attachments.attach_user_policy(by=by, user=bob, policy=policies[10])
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for PoliciesPerGroup: 10"):
        attachments.attach_group_policy(by=by, group=group, policy=policies[10])


@pytest.mark.bar(61)
def test_another_accounts_policy_is_not_there(alice: User, bob: User, mallory: User) -> None:
    theirs = services.create_policy(by=principal_of(mallory), name="theirs", document=ALLOW)
    with pytest.raises(NoSuchEntity, match="does not exist or is not attachable"):
        attachments.attach_user_policy(by=principal_of(alice), user=bob, policy=theirs)
    page = browser_of(alice).post(address("attach-user-policy"), {"policies": theirs.arn})
    missing = browser_of(alice).post(address("attach-user-policy"), {"policies": f"{theirs.arn}x"})
    assert page.status_code == missing.status_code and held(bob) == set()


def test_the_page_attaches_several_at_once(alice: User, bob: User, group: Group) -> None:
    browser, chosen = browser_of(alice), {"policies": [ADMINISTRATOR, SECURITY]}
    assert browser.post(address("attach-user-policy"), chosen).status_code == 302
    assert browser.post(address("attach-group-policy", "admins"), chosen).status_code == 302
    assert held(bob) == held(group) == {"AdministratorAccess", "SecurityAudit"}


@pytest.mark.bar(75)
def test_all_are_attached_or_none(alice: User, bob: User) -> None:
    Account.objects.update(quota_overrides={"policies_per_user": 1})
    page = browser_of(alice).post(address("attach-user-policy"), {"policies": [ADMINISTRATOR, SECURITY]})
    assert page.status_code == 409 and b"could not be attached, so none was" in page.content
    assert held(bob) == set() and page.content.count(b" checked") == 2


def test_nothing_ticked_is_said_so(alice: User, bob: User) -> None:
    assert b"Nothing is ticked" in browser_of(alice).post(address("attach-user-policy")).content


def test_the_page_searches_and_keeps_ticks(alice: User, bob: User) -> None:
    attachments.attach_user_policy(
        by=principal_of(alice), user=bob, policy=ManagedPolicy.objects.get(name="ReadOnlyAccess")
    )
    for ask in (browser_of(alice).get, browser_of(alice).post):
        query = {"q": "power", "policies": SECURITY, "search": "1"}
        page = ask(address("attach-user-policy"), query).content.decode()
        assert "PowerUserAccess" in page and "IAMFullAccess" not in page
        assert f'value="{SECURITY}" checked' in page
    assert held(bob) == {"ReadOnlyAccess"}


@pytest.mark.bar(73)
def test_each_policy_is_asked_for_by_its_arn(alice: User, bob: User) -> None:
    only = {"ArnEquals": {"iam:PolicyARN": SECURITY}}
    allow(bob, ["iam:AttachUserPolicy", "iam:DetachUserPolicy"], Condition=only)
    browser = browser_of(bob)
    assert browser.post(address("attach-user-policy"), {"policies": [SECURITY, ADMINISTRATOR]}).status_code == 403
    assert held(bob) == set()
    assert browser.post(address("attach-user-policy"), {"policies": SECURITY}).status_code == 302
    assert browser.post(address("detach-user-policy"), {"policy": ADMINISTRATOR}).status_code == 403
    assert browser.post(address("detach-user-policy"), {"policy": SECURITY}).status_code == 302


def test_the_boundary_of_the_user_is_a_condition_key(alice: User, bob: User) -> None:
    carol = make_user(alice.account, "carol", console=False)
    allow(bob, "iam:AttachUserPolicy", Condition={"StringEquals": {"iam:PermissionsBoundary": SECURITY}})
    chosen = {"policies": SECURITY}
    assert browser_of(bob).post(address("attach-user-policy", "carol"), chosen).status_code == 403
    carol.boundary = ManagedPolicy.objects.get(name="SecurityAudit")
    carol.save()
    assert browser_of(bob).post(address("attach-user-policy", "carol"), chosen).status_code == 302


@pytest.mark.bar(61, 127)
@pytest.mark.parametrize("action", ["attach-user-policy", "detach-user-policy"])
def test_refusals_do_not_tell_who_exists(alice: User, bob: User, mallory: User, action: str) -> None:
    User.objects.filter(pk=alice.pk).update(path="/secret/")
    allow(bob, ["iam:AttachUserPolicy", "iam:DetachUserPolicy"], "arn:aws:iam::111122223333:user/bob")
    chosen = {"policies": SECURITY, "policy": SECURITY}
    answers = [browser_of(bob).post(address(action, name), chosen) for name in ("alice", "nobody")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert b"/secret/" not in answers[0].content
    assert browser_of(mallory).post(address(action, "bob"), chosen).status_code == 404


def test_group_pages_require_permission(bob: User, group: Group) -> None:
    for action in ("attach-group-policy", "detach-group-policy"):
        for name in ("admins", "nothing"):
            page = browser_of(bob).post(address(action, name), {"policies": SECURITY, "policy": SECURITY})
            assert page.status_code == 403


@pytest.mark.bar(72)
def test_it_counts_at_the_next_decision(alice: User, bob: User) -> None:
    browser = browser_of(bob)
    assert browser.get(reverse("identities:list-users")).status_code == 403
    browser_of(alice).post(address("attach-user-policy"), {"policies": SECURITY})
    assert browser.get(reverse("identities:list-users")).status_code == 200
    browser_of(alice).post(address("detach-user-policy"), {"policy": SECURITY})
    assert browser.get(reverse("identities:list-users")).status_code == 403
