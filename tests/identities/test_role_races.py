"""Roles under real threads: the last place, the name and the place in a profile are given once, and what is deleted has
nothing left on it."""

import pytest

from audit.errors import EntityAlreadyExists, LimitExceeded, ServiceError
from identities.models import InstanceProfile, Role, RoleAttachment, RoleTag, User
from identities.services import attachments, instance_profiles
from identities.services import roles as roles_service
from policies.models import ManagedPolicy
from tests.cast import make_role, principal_of
from tests.rig.races import THREADS, race

pytestmark = [pytest.mark.bar(74), pytest.mark.django_db(transaction=True)]


def test_of_roles_created_at_once_one_gets_the_name(alice: User) -> None:
    names = ("Raced", "RACED", "raced")
    refused = race(lambda number: make_role(alice.account, names[number % 3]), EntityAlreadyExists)
    assert (Role.objects.count(), refused) == (1, THREADS - 1)


def test_of_roles_created_at_once_one_gets_the_last_place_in_the_account(alice: User) -> None:
    account = alice.account
    account.quota_overrides = {"roles": 1}
    account.save()
    refused = race(lambda number: make_role(account, f"role-{number}"), LimitExceeded)
    assert (Role.objects.count(), refused) == (1, THREADS - 1)


def test_of_roles_put_into_a_profile_at_once_one_gets_in(alice: User) -> None:
    by = principal_of(alice)
    roles = [make_role(alice.account, f"role-{number}") for number in range(THREADS)]
    profile = instance_profiles.create_instance_profile(by=by, name="web")
    refused = race(
        lambda number: instance_profiles.add_role_to_instance_profile(by=by, profile=profile, role=roles[number]),
        LimitExceeded,
    )
    assert refused == THREADS - 1 and InstanceProfile.objects.get().role is not None


def test_of_policies_attached_to_a_role_at_once_one_is_the_tenth(alice: User) -> None:
    by, role = principal_of(alice), make_role(alice.account, "deploy")
    policies = [
        ManagedPolicy.objects.create(account=alice.account, name=f"p{number}", unique_id=f"ANPA{number}")
        for number in range(THREADS + 9)
    ]
    for policy in policies[THREADS:]:
        attachments.attach_role_policy(by=by, role=role, policy=policy)
    refused = race(
        lambda number: attachments.attach_role_policy(by=by, role=role, policy=policies[number]), LimitExceeded
    )
    assert (RoleAttachment.objects.filter(role=role).count(), refused) == (10, THREADS - 1)


def test_a_role_gets_a_policy_or_goes(alice: User) -> None:
    by, role = principal_of(alice), make_role(alice.account, "deploy")
    policy = ManagedPolicy.objects.create(account=alice.account, name="p", unique_id="ANPAP")
    roles_service.tag_role(by=by, role=role, tags={"team": "red"})

    def attempt(number: int) -> None:
        if number % 2:
            roles_service.delete_role(by=by, role=role)
        else:
            attachments.attach_role_policy(by=by, role=role, policy=policy)

    race(attempt, ServiceError)
    stays = Role.objects.exists()
    assert RoleAttachment.objects.exists() == RoleTag.objects.exists() == stays


def test_a_profile_gets_a_role_or_goes(alice: User) -> None:
    by, role = principal_of(alice), make_role(alice.account, "deploy")
    profile = instance_profiles.create_instance_profile(by=by, name="web", tags={"team": "red"})

    def attempt(number: int) -> None:
        if number % 2:
            instance_profiles.delete_instance_profile(by=by, profile=profile)
        else:
            instance_profiles.add_role_to_instance_profile(by=by, profile=profile, role=role)

    assert race(attempt, ServiceError) == THREADS - 1
    assert [row.role for row in InstanceProfile.objects.all()] in ([], [role])
