"""Groups under real threads: the last place and the name are given once."""

import pytest

from audit.errors import EntityAlreadyExists, LimitExceeded
from identities.models import Group, Membership, User
from identities.services import groups
from tests.cast import principal_of
from tests.rig.races import THREADS, race

pytestmark = [pytest.mark.bar(74), pytest.mark.django_db(transaction=True)]


def test_the_tenth_group_of_a_user(alice: User, bob: User) -> None:
    by = principal_of(alice)
    made = [groups.create_group(by=by, name=f"group-{number}") for number in range(THREADS + 9)]
    for group in made[THREADS:]:
        groups.add_user_to_group(by=by, group=group, user=bob)
    refused = race(lambda number: groups.add_user_to_group(by=by, group=made[number], user=bob), LimitExceeded)
    assert (Membership.objects.filter(user=bob).count(), refused) == (10, THREADS - 1)


def test_of_groups_created_at_once_one_gets_the_name(alice: User) -> None:
    names = ("Raced", "RACED", "raced")
    refused = race(
        lambda number: groups.create_group(by=principal_of(alice), name=names[number % 3]), EntityAlreadyExists
    )
    assert (Group.objects.count(), refused) == (1, THREADS - 1)
