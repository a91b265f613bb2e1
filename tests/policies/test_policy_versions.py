"""Setting the default, deleting, looking at and comparing versions."""

import json

import pytest
from django.urls import reverse

from audit.errors import DeleteConflict, NoSuchEntity, UnmodifiableEntity
from audit.models import Event
from identities.models import User
from policies import services
from policies.comparing import compared
from policies.models import ManagedPolicy, PolicyVersion
from tests.cast import allow, browser_of, principal_of
from tests.policies.documents import ALLOW, OTHER
from tests.rig.work import at_most


@pytest.fixture
def policy(alice: User) -> ManagedPolicy:
    policy = services.create_policy(by=principal_of(alice), name="readers", document=ALLOW)
    services.create_policy_version(by=principal_of(alice), policy=policy, document=OTHER)
    return policy


@pytest.fixture
def second(policy: ManagedPolicy) -> PolicyVersion:
    return policy.versions.get(number=2)


def address(name: str, *more: str) -> str:
    return reverse(f"policies:{name}", args=["own", "readers", *more])


def test_another_version_counts(alice: User, policy: ManagedPolicy, second: PolicyVersion) -> None:
    answer = browser_of(alice).post(address("set-default-policy-version", "v2"))
    assert answer.status_code == 302
    assert services.default_version(policy) == second
    event = Event.objects.get(action="iam:SetDefaultPolicyVersion")
    assert (event.detail["before"]["default_version"], event.detail["after"]["default_version"]) == ("v1", "v2")


@pytest.mark.bar(72)
def test_it_counts_at_the_next_decision(alice: User, bob: User, policy: ManagedPolicy, second: PolicyVersion) -> None:
    bob.attachments.create(policy=policy, slot=1)
    users = reverse("identities:list-users")
    assert browser_of(bob).get(users).status_code == 200
    services.set_default_policy_version(by=principal_of(alice), policy=policy, version=second)
    assert browser_of(bob).get(users).status_code == 403


def test_the_default_version_stays(alice: User, policy: ManagedPolicy) -> None:
    default = services.default_version(policy)
    with pytest.raises(DeleteConflict, match="Cannot delete the default version of a policy."):
        services.delete_policy_version(by=principal_of(alice), policy=policy, version=default)
    assert browser_of(alice).post(address("delete-policy-version", "v1")).status_code == 409


def test_a_version_is_deleted(alice: User, policy: ManagedPolicy, second: PolicyVersion) -> None:
    assert browser_of(alice).post(address("delete-policy-version", "v2")).status_code == 302
    assert [version.version_id for version in policy.versions.all()] == ["v1"]
    with pytest.raises(NoSuchEntity, match="version v2 does not exist"):
        services.delete_policy_version(by=principal_of(alice), policy=policy, version=second)


def test_built_in_versions_are_left_alone(alice: User) -> None:
    built_in = ManagedPolicy.objects.get(name="SecurityAudit")
    for change in (services.set_default_policy_version, services.delete_policy_version):
        with pytest.raises(UnmodifiableEntity):
            change(by=principal_of(alice), policy=built_in, version=built_in.versions.get())


@pytest.mark.parametrize("version", ["v3", "v0", "2x", "v99999999999", "v²"])
def test_a_version_that_is_not_there_is_said_so(alice: User, policy: ManagedPolicy, version: str) -> None:
    page = browser_of(alice).get(address("get-policy-version", version))
    assert page.status_code == 404 and b"has no version" in page.content


def test_versions_are_listed_and_shown(alice: User, policy: ManagedPolicy) -> None:
    browser = browser_of(alice)
    listed = browser.get(address("list-policy-versions")).content.decode()
    assert "counts now" in listed and "2 of at most 5 versions" in listed
    assert "iam:GetUser" in browser.get(address("get-policy-version", "v2")).content.decode()


def test_versions_are_compared(alice: User, policy: ManagedPolicy) -> None:
    page = browser_of(alice).get(address("get-policy-version-changes")).content.decode()
    assert "From v1 to v2" in page and "2 lines added, 2 removed." in page
    same = browser_of(alice).get(address("get-policy-version-changes"), {"old": "v1", "new": "v1"}).content.decode()
    assert "The two say the same." in same


def test_layout_is_no_difference() -> None:
    assert {line.kind for line in compared(ALLOW, ALLOW.replace(",", ",\n"))} == {"same"}
    lines = compared('{"a": 1, "b": 2}', '{"a": 1, "c": 2}')
    assert [(line.sign, line.text.strip()) for line in lines if line.kind != "same"] == [
        ("−", '"b": 2'),
        ("+", '"c": 2'),
    ]


@pytest.mark.parametrize(
    ("name", "action", "more"),
    [
        ("list-policy-versions", "iam:ListPolicyVersions", ()),
        ("get-policy-version", "iam:GetPolicyVersion", ("v2",)),
        ("get-policy-version-changes", "iam:GetPolicyVersion", ()),
    ],
)
def test_reading_requires_permission(
    bob: User, policy: ManagedPolicy, name: str, action: str, more: tuple[str]
) -> None:
    assert browser_of(bob).get(address(name, *more)).status_code == 403
    allow(bob, action, policy.arn)
    assert browser_of(bob).get(address(name, *more)).status_code == 200


@pytest.mark.parametrize("name", ["set-default-policy-version", "delete-policy-version"])
def test_changing_requires_permission(bob: User, policy: ManagedPolicy, name: str) -> None:
    allow(bob, ["iam:Get*", "iam:List*"])
    assert browser_of(bob).post(address(name, "v2")).status_code == 403
    assert policy.versions.count() == 2 and services.default_document(policy) == ALLOW


@pytest.mark.bar(129)
def test_comparing_documents_made_to_be_slow_is_little_work() -> None:
    old = json.dumps(["A"] * 1200)
    new = json.dumps([word for number in range(600) for word in ("A", f"b{number}")])
    with at_most(100_000):
        lines = compared(old, new)
    assert [line.text for line in lines if line.old] == json.dumps(json.loads(old), indent=2).split("\n")
    assert [line.text for line in lines if line.new] == json.dumps(json.loads(new), indent=2).split("\n")
