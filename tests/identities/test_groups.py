"""Groups as a service: their rules, quotas, records, and what happens in a race."""

import pytest

from accounts.models import Account
from audit.errors import (
    ConcurrentModification,
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from audit.models import Event
from identities.models import Group, GroupAttachment, GroupInlinePolicy, Membership, User
from identities.services import groups
from policies.models import ManagedPolicy
from tests.cast import make_user, principal_of, root_of

DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}'


@pytest.fixture
def lookers(alice: User) -> Group:
    return groups.create_group(by=principal_of(alice), name="Lookers", path="/eng/")


def test_it_creates_and_records(alice: User, lookers: Group) -> None:
    assert lookers.arn == "arn:aws:iam::111122223333:group/eng/Lookers"
    assert lookers.unique_id.startswith("AGPA")
    event = Event.objects.get(action="iam:CreateGroup")
    assert (event.resource, event.detail["after"]["name"]) == (lookers.arn, "Lookers")


def test_names_are_unique_ignoring_case_within_an_account(alice: User, mallory: User, lookers: Group) -> None:
    with pytest.raises(EntityAlreadyExists, match="Group with name LOOKERS already exists."):
        groups.create_group(by=principal_of(alice), name="LOOKERS")
    assert groups.create_group(by=principal_of(mallory), name="Lookers").account_id == mallory.account_id


@pytest.mark.parametrize(
    ("name", "path", "field"),
    [("", "/", "name"), ("a b", "/", "name"), ("x" * 129, "/", "name"), ("ok", "eng", "path")],
)
def test_bad_names_and_paths_are_refused_at_their_field(alice: User, name: str, path: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        groups.create_group(by=principal_of(alice), name=name, path=path)
    assert refused.value.field == field


@pytest.mark.bar(74)
def test_the_quota_of_groups_holds(acme: Account, alice: User) -> None:
    Account.objects.update(quota_overrides={"groups": 1})
    groups.create_group(by=principal_of(alice), name="first")
    with pytest.raises(LimitExceeded, match="GroupsPerAccount: 1"):
        groups.create_group(by=principal_of(alice), name="second")


def test_renaming_keeps_users_policies_and_id(alice: User, bob: User, lookers: Group) -> None:
    groups.add_user_to_group(by=principal_of(alice), group=lookers, user=bob)
    renamed = groups.update_group(by=principal_of(alice), group=lookers, new_name="Watchers", new_path="/")
    assert (renamed.arn, renamed.unique_id) == ("arn:aws:iam::111122223333:group/Watchers", lookers.unique_id)
    assert renamed.memberships.get().user == bob
    detail = Event.objects.get(action="iam:UpdateGroup").detail
    assert (detail["before"]["name"], detail["after"]["name"]) == ("Lookers", "Watchers")


@pytest.mark.parametrize("left", ["members", "inline", "attached"])
def test_a_group_in_use_is_not_deleted_by_the_api(alice: User, bob: User, lookers: Group, left: str) -> None:
    match left:
        case "members":
            Membership.objects.create(user=bob, group=lookers, slot=1)
        case "inline":
            GroupInlinePolicy.objects.create(group=lookers, name="look", document=DOCUMENT)
        case "attached":
            policy = ManagedPolicy.objects.get(account=None, name="ReadOnlyAccess")
            GroupAttachment.objects.create(group=lookers, policy=policy, slot=1)
    with pytest.raises(DeleteConflict, match="Cannot delete entity, must"):
        groups.delete_group(by=principal_of(alice), group=lookers)
    assert Group.objects.exists()


def test_the_console_takes_everything_off_first_and_records_each(alice: User, bob: User, lookers: Group) -> None:
    Membership.objects.create(user=bob, group=lookers, slot=1)
    GroupInlinePolicy.objects.create(group=lookers, name="look", document=DOCUMENT)
    groups.delete_group_with_everything(by=principal_of(alice), group=lookers)
    actions = set(Event.objects.values_list("action", flat=True))
    assert actions >= {"iam:RemoveUserFromGroup", "iam:DeleteGroupPolicy", "iam:DeleteGroup"}
    assert User.objects.filter(pk=bob.pk).exists() and not Group.objects.exists()


def test_a_group_that_changed_since_the_page_is_not_deleted(alice: User, bob: User, lookers: Group) -> None:
    seen = groups.fingerprint(lookers)
    groups.add_user_to_group(by=principal_of(alice), group=lookers, user=bob)
    with pytest.raises(ConcurrentModification):
        groups.delete_group_with_everything(by=principal_of(alice), group=lookers, seen=seen)
    assert lookers.memberships.count() == 1


def test_joining_and_leaving_twice_is_fine_and_recorded_once(alice: User, bob: User, lookers: Group) -> None:
    by = principal_of(alice)
    for _ in range(2):
        groups.add_user_to_group(by=by, group=lookers, user=bob)
    for _ in range(2):
        groups.remove_user_from_group(by=by, group=lookers, user=bob)
    actions = list(Event.objects.values_list("action", flat=True))
    assert actions.count("iam:AddUserToGroup") == actions.count("iam:RemoveUserFromGroup") == 1


@pytest.mark.bar(61)
def test_a_user_of_another_account_cannot_join(alice: User, mallory: User, lookers: Group) -> None:
    with pytest.raises(NoSuchEntity, match="mallory"):
        groups.add_user_to_group(by=principal_of(alice), group=lookers, user=mallory)


@pytest.mark.bar(74)
def test_an_eleventh_group_is_refused(acme: Account, bob: User) -> None:
    by = root_of(acme)
    for number in range(10):
        groups.add_user_to_group(by=by, group=groups.create_group(by=by, name=f"g{number}"), user=bob)
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for GroupsPerUser: 10"):
        groups.add_user_to_group(by=by, group=groups.create_group(by=by, name="one-too-many"), user=bob)


@pytest.mark.bar(75)
def test_moving_leaves_first_and_is_all_or_nothing(acme: Account, bob: User) -> None:
    by = root_of(acme)
    full = [groups.create_group(by=by, name=f"g{number}") for number in range(10)]
    new = [groups.create_group(by=by, name=f"n{number}") for number in range(2)]
    for group in full:
        groups.add_user_to_group(by=by, group=group, user=bob)
    with pytest.raises(LimitExceeded):
        groups.move_user(by=by, user=bob, leave=full[:1], join=new)
    assert bob.memberships.filter(group=full[0]).exists()
    groups.move_user(by=by, user=bob, leave=full[:2], join=new)
    assert bob.memberships.count() == 10 and not bob.memberships.filter(group__in=full[:2]).exists()


@pytest.mark.bar(75)
def test_several_join_together_or_none(acme: Account, alice: User, bob: User, mallory: User, lookers: Group) -> None:
    with pytest.raises(NoSuchEntity):
        groups.add_users_to_group(by=principal_of(alice), group=lookers, users=[bob, mallory])
    assert not lookers.memberships.exists()
    carol = make_user(acme, "carol", console=False)
    groups.add_users_to_group(by=principal_of(alice), group=lookers, users=[bob, carol])
    assert lookers.memberships.count() == 2
