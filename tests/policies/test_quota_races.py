"""Quotas under real threads: the last place is given once."""

import pytest

from audit.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from identities.models import Group, User
from identities.services import attachments
from policies import services
from tests.cast import principal_of
from tests.policies.documents import ALLOW, OTHER
from tests.rig.races import THREADS, race

pytestmark = [pytest.mark.bar(74), pytest.mark.django_db(transaction=True)]


def test_of_versions_created_at_once_five_are_kept(alice: User) -> None:
    by = principal_of(alice)
    policy = services.create_policy(by=by, name="raced", document=ALLOW)
    for _ in range(3):
        services.create_policy_version(by=by, policy=policy, document=OTHER)
    refused = race(
        lambda _: services.create_policy_version(by=by, policy=policy, document=OTHER, set_as_default=True),
        LimitExceeded,
    )
    assert (policy.versions.count(), refused) == (5, THREADS - 1)
    assert policy.versions.get(is_default=True).number == 5


@pytest.mark.parametrize("kind", ["user", "group"])
def test_of_policies_attached_at_once_ten_are_kept(alice: User, bob: User, kind: str) -> None:
    by = principal_of(alice)
    group = Group.objects.create(account=alice.account, name="raced", unique_id="AGPARACED")
    made = [services.create_policy(by=by, name=f"policy-{number}", document=ALLOW) for number in range(THREADS)]
    owners: dict[str, User | Group] = {"user": bob, "group": group}
    owner = owners[kind]
    attach = getattr(attachments, f"attach_{kind}_policy")
    refused = race(lambda number: attach(by=by, policy=made[number], **{kind: owner}), LimitExceeded)
    assert (owner.attachments.count(), refused) == (10, THREADS - 10)


def test_a_policy_is_attached_or_deleted_but_never_half(alice: User, bob: User) -> None:
    by = principal_of(alice)
    policy = services.create_policy(by=by, name="raced", document=ALLOW)

    def attempt(number: int) -> None:
        try:
            if number % 2:
                services.delete_policy(by=by, policy=policy)
            else:
                attachments.attach_user_policy(by=by, user=bob, policy=policy)
        except (NoSuchEntity, DeleteConflict):
            pass

    race(attempt, LimitExceeded)
    assert bob.attachments.count() == alice.account.managed_policies.count()
