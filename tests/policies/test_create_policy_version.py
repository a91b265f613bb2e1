import pytest
from django.urls import reverse

from audit.errors import ConcurrentModification, LimitExceeded, UnmodifiableEntity
from audit.models import Event
from identities.models import User
from policies import services
from policies.documents import DocumentRefused
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, principal_of
from tests.policies.documents import ALLOW, OTHER, REFUSED, of_size

PAGE = reverse("policies:create-policy-version", args=["own", "readers"])


@pytest.fixture
def policy(alice: User) -> ManagedPolicy:
    return services.create_policy(by=principal_of(alice), name="readers", document=ALLOW)


def add(by: User, policy: ManagedPolicy, document: str = OTHER, **more: object) -> str:
    version = services.create_policy_version(by=principal_of(by), policy=policy, document=document, **more)  # type: ignore[arg-type] # the service's own keywords
    return version.version_id


def test_it_adds_without_changing_what_counts(alice: User, policy: ManagedPolicy) -> None:
    assert add(alice, policy) == "v2"
    assert services.default_document(policy) == ALLOW


def test_it_can_become_the_default(alice: User, policy: ManagedPolicy) -> None:
    add(alice, policy, set_as_default=True)
    assert services.default_document(policy) == OTHER
    assert policy.versions.filter(is_default=True).count() == 1


def test_numbers_are_never_used_again(alice: User, policy: ManagedPolicy) -> None:
    add(alice, policy)
    services.delete_policy_version(by=principal_of(alice), policy=policy, version=policy.versions.get(number=2))
    assert add(alice, policy) == "v3"


@pytest.mark.bar(74)
def test_the_sixth_version_is_refused(alice: User, policy: ManagedPolicy) -> None:
    for _ in range(4):
        add(alice, policy)
    with pytest.raises(LimitExceeded, match=r"up to 5 versions. Before you create a new version, you must delete an"):
        add(alice, policy)
    assert policy.versions.count() == 5


@pytest.mark.bar(66)
@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED.keys())
def test_it_checks_as_creating_does(alice: User, policy: ManagedPolicy, document: str) -> None:
    with pytest.raises(DocumentRefused):
        add(alice, policy, document)
    assert policy.versions.count() == 1


@pytest.mark.bar(66)
def test_it_keeps_the_size_as_creating_does(alice: User, policy: ManagedPolicy) -> None:
    with pytest.raises(LimitExceeded):
        add(alice, policy, of_size(6145))


def test_built_in_policies_are_left_alone(alice: User) -> None:
    built_in = ManagedPolicy.objects.get(name="AdministratorAccess")
    with pytest.raises(UnmodifiableEntity, match="is built in and can't be changed"):
        add(alice, built_in)
    page = browser_of(alice).post(
        reverse("policies:create-policy-version", args=["aws", built_in.name]), {"document": OTHER, "newest_seen": 1}
    )
    assert b"is built in and can" in page.content


def test_it_says_that_somebody_was_faster_and_keeps_what_was_typed(alice: User, policy: ManagedPolicy) -> None:
    add(alice, policy, set_as_default=True)
    with pytest.raises(ConcurrentModification):
        add(alice, policy, newest_seen=1)
    browser, typed = browser_of(alice), ALLOW.replace("ListUsers", "ListGroups")
    page = browser.post(PAGE, {"document": typed, "newest_seen": 1}).content.decode()
    assert "Somebody made version v2" in page and "iam:ListGroups" in page and "iam:GetUser" in page
    assert 'name="newest_seen" value="2"' in page
    assert browser.post(PAGE, {"document": typed, "newest_seen": 2}).status_code == 302


def test_the_page_starts_with_what_counts(alice: User, policy: ManagedPolicy) -> None:
    page = browser_of(alice).get(PAGE).content.decode()
    assert "iam:ListUsers" in page and 'name="newest_seen" value="1"' in page


def test_it_requires_permission_and_shows_nothing_unreadable(bob: User, policy: ManagedPolicy) -> None:
    assert browser_of(bob).get(PAGE).status_code == 403
    allow(bob, "iam:CreatePolicyVersion")
    assert b"iam:ListUsers" not in browser_of(bob).get(PAGE).content


@pytest.mark.bar(61)
def test_it_hides_other_accounts(mallory: User, policy: ManagedPolicy) -> None:
    missing = PAGE.replace("readers", "nothing")
    assert browser_of(mallory).get(PAGE).status_code == browser_of(mallory).get(missing).status_code == 404


def test_it_records_both_states(alice: User, policy: ManagedPolicy) -> None:
    add(alice, policy, set_as_default=True)
    event = Event.objects.get(action="iam:CreatePolicyVersion")
    assert event.detail["before"]["default_version"] == "v1"
    assert event.detail["after"]["default_version"] == "v2" and event.detail["document"] == OTHER
