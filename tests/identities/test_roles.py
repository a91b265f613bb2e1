"""Roles and their trust policies, as the services keep them."""

import json
from collections.abc import Callable

import pytest

from accounts.models import Account
from audit.errors import (
    ConcurrentModification,
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    UnmodifiableEntity,
    ValidationError,
)
from audit.models import Event
from identities.models import Role, User
from identities.services import attachments, boundaries, inline_policies, instance_profiles, roles, users
from identities.services.trust import shown_trust
from policies.documents import DocumentRefused
from policies.models import ManagedPolicy
from policies.services import delete_policy
from tests.cast import allow, make_role, make_user, principal_of, root_of, trusting


def named(text: str) -> list[str]:
    return list(json.loads(text)["Statement"][0]["Principal"]["AWS"])


def built_in(name: str = "ReadOnlyAccess") -> ManagedPolicy:
    return ManagedPolicy.objects.get(account=None, name=name)


def test_it_creates_a_role_and_records_it(acme: Account, alice: User) -> None:
    role = roles.create_role(
        by=principal_of(alice), name="deploy", trust=trusting(acme.root_arn), path="/ci/", tags={"team": "red"}
    )
    assert role.arn == f"arn:aws:iam::{acme.id}:role/ci/deploy"
    assert role.unique_id.startswith("AROA") and role.max_session_seconds == 3600
    event = Event.objects.get(action="iam:CreateRole")
    assert (event.resource, event.detail["tags"]) == (role.arn, {"team": "red"})


def test_names_are_unique_whatever_their_case(acme: Account) -> None:
    make_role(acme, "deploy")
    with pytest.raises(EntityAlreadyExists, match=r"^Role with name Deploy already exists\.$"):
        make_role(acme, "Deploy")


@pytest.mark.parametrize("seconds", [3599, 43201])
def test_the_longest_session_is_one_to_twelve_hours(acme: Account, seconds: int) -> None:
    with pytest.raises(ValidationError, match="1 to 12 hours"):
        make_role(acme, "deploy", max_session_seconds=seconds)


def test_it_keeps_the_quotas(acme: Account) -> None:
    acme.quota_overrides = {"roles": 1, "trust_policy_characters": 300}
    acme.save()
    make_role(acme, "one")
    with pytest.raises(LimitExceeded, match="RolesPerAccount: 1"):
        make_role(acme, "two")
    Role.objects.all().delete()
    with pytest.raises(LimitExceeded, match="ACLSizePerRole: 300"):
        make_role(acme, "long", trusting(*[acme.root_arn] * 9))


def test_the_path_of_service_linked_roles_is_kept_for_them(acme: Account) -> None:
    with pytest.raises(ValidationError, match="service-linked"):
        make_role(acme, "deploy", path="/aws-service-role/ec2.amazonaws.com/")


def test_a_user_is_stored_by_id_and_shown_by_its_present_name(acme: Account, bob: User) -> None:
    role = make_role(acme, "deploy", trusting(bob.arn))
    assert named(role.document) == [bob.unique_id]
    assert named(shown_trust(role.document)) == [bob.arn]
    users.update_user(by=root_of(acme), user=bob, new_name="robert", new_path="/eng/")
    assert named(shown_trust(role.document)) == [f"arn:aws:iam::{acme.id}:user/eng/robert"]


def test_a_deleted_user_is_shown_by_id_and_a_new_one_of_the_name_is_somebody_else(acme: Account, bob: User) -> None:
    role, old_id = make_role(acme, "deploy", trusting(bob.arn)), bob.unique_id
    bob.delete()
    make_user(acme, "bob")
    assert named(shown_trust(role.document)) == [old_id]


def test_only_principals_are_rewritten_and_the_layout_stays(acme: Account, bob: User) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": bob.arn},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:PrincipalArn": bob.arn}},
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": statement}, indent=3)
    role = make_role(acme, "deploy", text)
    assert role.document == text.replace(bob.arn, bob.unique_id, 1)
    assert shown_trust(role.document) == text


def test_a_role_is_stored_by_id_and_an_account_as_its_root(acme: Account, globex: Account) -> None:
    first = make_role(acme, "first")
    second = make_role(acme, "second", trusting(first.arn, globex.id))
    assert named(second.document) == [first.unique_id, globex.root_arn]
    assert named(shown_trust(second.document)) == [first.arn, globex.root_arn]


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:iam::111122223333:user/nobody",
        "arn:aws:iam::111122223333:user/Bob",
        "arn:aws:iam::111122223333:user/eng/bob",
        "arn:aws:iam::111122223333:role/bob",
        "arn:aws:iam::999999999999:root",
        "999999999999",
        "AIDA234567ABCDEFGHIJK",
    ],
)
def test_a_principal_that_is_not_there_is_refused(acme: Account, bob: User, principal: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        make_role(acme, "deploy", trusting(bob.arn, principal))
    assert str(refused.value) == f'Invalid principal in policy: "AWS":"{principal}"'
    assert refused.value.findings[0].line == 1


@pytest.mark.parametrize("principal", ["arn:aws:iam::111122223333:user/bob", "111122223333", "AIDA234567ABCDEFGHIJK"])
def test_a_principal_without_its_kind_is_refused(acme: Account, bob: User, principal: str) -> None:
    """Else it would be stored by name, and let in whoever gets the name next."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    with pytest.raises(DocumentRefused) as refused:
        make_role(acme, "deploy", json.dumps({"Version": "2012-10-17", "Statement": statement}))
    assert str(refused.value) == f'Invalid principal in policy: "AWS":"{principal}"'
    assert [each.code for each in refused.value.findings if each.severity == "error"] == ["PRINCIPAL_STRING"]


def test_a_group_is_no_principal(acme: Account) -> None:
    arn = f"arn:aws:iam::{acme.id}:group/admins"
    with pytest.raises(DocumentRefused, match="Invalid principal in policy"):
        make_role(acme, "deploy", trusting(arn))


def test_its_trust_policy_can_be_changed_unless_somebody_else_did(acme: Account, bob: User) -> None:
    role = make_role(acme, "deploy")
    seen = role.digest
    roles.update_assume_role_policy(by=root_of(acme), role=role, document=trusting(bob.arn), digest_seen=seen)
    role.refresh_from_db()
    assert named(role.document) == [bob.unique_id] and role.digest != seen
    with pytest.raises(ConcurrentModification):
        roles.update_assume_role_policy(by=root_of(acme), role=role, document=trusting(bob.arn), digest_seen=seen)


def test_what_hangs_on_a_role_is_removed_first(acme: Account) -> None:
    role, by = make_role(acme, "deploy"), root_of(acme)
    attachments.attach_role_policy(by=by, role=role, policy=built_in())
    allow(role, "iam:Get*")
    profile = instance_profiles.create_instance_profile(by=by, name="web")
    instance_profiles.add_role_to_instance_profile(by=by, profile=profile, role=role)
    steps = ("remove roles from instance profile", "delete policies", "detach all policies")
    removals: tuple[Callable[[], None], ...] = (
        lambda: instance_profiles.remove_role_from_instance_profile(by=by, profile=profile, role=role),
        lambda: inline_policies.delete_role_policy(by=by, role=role, name="allowed"),
        lambda: attachments.detach_role_policy(by=by, role=role, policy=built_in()),
    )
    for step, remove in zip(steps, removals, strict=True):
        with pytest.raises(DeleteConflict, match=f"must {step} first"):
            roles.delete_role(by=by, role=role)
        remove()
    roles.delete_role(by=by, role=role)
    assert not Role.objects.exists()


def test_deleting_with_everything_records_each_step(acme: Account) -> None:
    role, by = make_role(acme, "deploy"), root_of(acme)
    attachments.attach_role_policy(by=by, role=role, policy=built_in())
    allow(role, "iam:Get*")
    profile = instance_profiles.create_instance_profile(by=by, name="web")
    instance_profiles.add_role_to_instance_profile(by=by, profile=profile, role=role)
    roles.delete_role_with_everything(by=by, role=role)
    profile.refresh_from_db()
    assert profile.role is None and not Role.objects.exists()
    done = Event.objects.order_by("-id").values_list("action", flat=True)[:4]
    assert set(done) == {
        "iam:RemoveRoleFromInstanceProfile",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:DeleteRole",
    }


def test_a_profile_holds_one_role(acme: Account) -> None:
    by, profile = root_of(acme), instance_profiles.create_instance_profile(by=root_of(acme), name="web")
    instance_profiles.add_role_to_instance_profile(by=by, profile=profile, role=make_role(acme, "one"))
    with pytest.raises(LimitExceeded, match="InstanceSessionsPerInstanceProfile: 1"):
        instance_profiles.add_role_to_instance_profile(by=by, profile=profile, role=make_role(acme, "two"))
    with pytest.raises(DeleteConflict, match="must remove roles from instance profile first"):
        instance_profiles.delete_instance_profile(by=by, profile=profile)


def test_a_role_of_another_account_is_not_put_into_a_profile(acme: Account, globex: Account) -> None:
    profile = instance_profiles.create_instance_profile(by=root_of(acme), name="web")
    with pytest.raises(NoSuchEntity):
        instance_profiles.add_role_to_instance_profile(
            by=root_of(acme), profile=profile, role=make_role(globex, "theirs")
        )


def test_tags_of_roles_fold_case_and_tags_of_profiles_do_not(acme: Account) -> None:
    by, role = root_of(acme), make_role(acme, "deploy", tags={"Team": "red"})
    roles.tag_role(by=by, role=role, tags={"team": "blue"})
    assert [(tag.key, tag.value) for tag in role.tags.all()] == [("team", "blue")]
    profile = instance_profiles.create_instance_profile(by=by, name="web", tags={"Team": "red"})
    instance_profiles.tag_instance_profile(by=by, profile=profile, tags={"team": "blue"})
    assert {tag.key for tag in profile.tags.all()} == {"Team", "team"}
    instance_profiles.untag_instance_profile(by=by, profile=profile, keys=["TEAM", "team"])
    assert {tag.key for tag in profile.tags.all()} == {"Team"}


def test_a_policy_that_a_role_uses_is_not_deleted(acme: Account) -> None:
    policy = ManagedPolicy.objects.create(account=acme, name="readers", unique_id="ANPAREADERS", newest_version=1)
    policy.versions.create(number=1, slot=1, is_default=True, document="{}")
    role, by = make_role(acme, "deploy", boundary=policy), root_of(acme)
    attachments.attach_role_policy(by=by, role=role, policy=policy)
    with pytest.raises(DeleteConflict, match="1 role, 1 role as boundary"):
        delete_policy(by=by, policy=policy)
    boundaries.delete_role_permissions_boundary(by=by, role=role)
    attachments.detach_role_policy(by=by, role=role, policy=policy)
    delete_policy(by=by, policy=policy)


def test_nobody_changes_a_service_linked_role(acme: Account) -> None:
    role = make_role(acme, "AWSServiceRoleForEc2")
    Role.objects.filter(pk=role.pk).update(path="/aws-service-role/ec2.amazonaws.com/")
    by = root_of(acme)
    for change in (
        lambda: attachments.attach_role_policy(by=by, role=role, policy=built_in()),
        lambda: inline_policies.put_role_policy(by=by, role=role, name="x", document="{}"),
        lambda: boundaries.put_role_permissions_boundary(by=by, role=role, policy=built_in()),
        lambda: roles.update_assume_role_policy(by=by, role=role, document=trusting(acme.root_arn)),
        lambda: roles.update_role(by=by, role=role, max_session_seconds=7200),
        lambda: roles.tag_role(by=by, role=role, tags={"a": "b"}),
        lambda: roles.delete_role(by=by, role=role),
    ):
        with pytest.raises(UnmodifiableEntity, match="protected role"):
            change()
