import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.urls import reverse

from audit.errors import DeleteConflict, UnmodifiableEntity
from audit.models import Event
from identities.models import Group, GroupAttachment, User, UserAttachment
from policies import services
from policies.models import ManagedPolicy
from tests.cast import allow, browser_of, make_user, principal_of
from tests.policies.documents import ALLOW, OTHER

PAGE = reverse("policies:delete-policy", args=["own", "readers"])


@pytest.fixture
def policy(alice: User) -> ManagedPolicy:
    return services.create_policy(by=principal_of(alice), name="readers", document=ALLOW)


def use_everywhere(policy: ManagedPolicy, user: User) -> None:
    UserAttachment.objects.create(user=user, policy=policy, slot=1)
    group = Group.objects.create(account=user.account, name="lookers", unique_id="AGPALOOKERS")
    GroupAttachment.objects.create(group=group, policy=policy, slot=1)
    user.boundary = policy
    user.save()


def test_it_deletes_what_nobody_uses(alice: User, policy: ManagedPolicy) -> None:
    assert browser_of(alice).post(PAGE, {"confirmation": "readers"}).status_code == 302
    assert not ManagedPolicy.objects.filter(account=alice.account).exists()
    event = Event.objects.get(action="iam:DeletePolicy")
    assert (event.resource, event.detail["document"]) == (policy.arn, ALLOW)


def test_it_wants_the_name_typed(alice: User, policy: ManagedPolicy) -> None:
    page = browser_of(alice).post(PAGE, {"confirmation": "reader"})
    assert b"nothing was deleted" in page.content and ManagedPolicy.objects.filter(pk=policy.pk).exists()


def test_a_policy_in_use_stays(alice: User, bob: User, policy: ManagedPolicy) -> None:
    use_everywhere(policy, bob)
    with pytest.raises(DeleteConflict) as refused:
        services.delete_policy(by=principal_of(alice), policy=policy)
    assert refused.value.message == (
        "Cannot delete a policy attached to entities: 1 group, 1 user, 1 user as boundary."
    )


def test_the_database_keeps_it_too(alice: User, bob: User, policy: ManagedPolicy) -> None:
    use_everywhere(policy, bob)
    with pytest.raises((ProtectedError, IntegrityError)), transaction.atomic():
        ManagedPolicy.objects.filter(pk=policy.pk).delete()


def test_the_page_lists_what_uses_it(alice: User, bob: User, policy: ManagedPolicy) -> None:
    use_everywhere(policy, bob)
    page = browser_of(alice).get(PAGE).content.decode()
    assert "bob" in page and "lookers" in page and "Permissions boundary of the user" in page


@pytest.mark.bar(127)
def test_who_may_not_list_it_learns_no_names(alice: User, bob: User, policy: ManagedPolicy) -> None:
    use_everywhere(policy, make_user(alice.account, "carol", console=False))
    allow(bob, "iam:DeletePolicy")
    page = browser_of(bob).get(PAGE).content.decode()
    assert "lookers" not in page and "carol" not in page and "iam:ListEntitiesForPolicy" in page


@pytest.mark.bar(75)
def test_versions_go_with_it_or_stay_with_it(alice: User, bob: User, policy: ManagedPolicy) -> None:
    services.create_policy_version(by=principal_of(alice), policy=policy, document=OTHER)
    with pytest.raises(DeleteConflict, match="more than one version"):
        services.delete_policy(by=principal_of(alice), policy=policy)
    use_everywhere(policy, bob)
    with pytest.raises(DeleteConflict, match="attached to entities"):
        services.delete_policy_with_versions(by=principal_of(alice), policy=policy)
    assert policy.versions.count() == 2 and not Event.objects.filter(action="iam:DeletePolicyVersion").exists()


def test_deleting_versions_needs_its_own_permission(bob: User, alice: User, policy: ManagedPolicy) -> None:
    services.create_policy_version(by=principal_of(alice), policy=policy, document=OTHER)
    allow(bob, "iam:DeletePolicy")
    assert browser_of(bob).post(PAGE, {"confirmation": "readers"}).status_code == 403
    allow(bob, ["iam:DeletePolicy", "iam:DeletePolicyVersion"])
    assert browser_of(bob).post(PAGE, {"confirmation": "readers"}).status_code == 302


def test_built_in_policies_stay(alice: User) -> None:
    with pytest.raises(UnmodifiableEntity):
        services.delete_policy(by=principal_of(alice), policy=ManagedPolicy.objects.get(name="ReadOnlyAccess"))


@pytest.mark.bar(61)
def test_it_hides_other_accounts(mallory: User, policy: ManagedPolicy) -> None:
    assert browser_of(mallory).post(PAGE, {"confirmation": "readers"}).status_code == 404
    assert ManagedPolicy.objects.filter(pk=policy.pk).exists()


def test_it_requires_permission(bob: User, policy: ManagedPolicy) -> None:
    assert browser_of(bob).post(PAGE, {"confirmation": "readers"}).status_code == 403
