"""Permissions may hang on the tags of what is acted on: whoever asks the gate about something that can have tags has to
bring them. Forgotten, a Deny on a tag does not deny, and an Allow on a tag does not allow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse

from access.explaining import Reader
from access.gate import PrincipalGate
from accounts.models import Account
from identities.models import MFADevice, MFADeviceTag, RoleTag, User, UserTag
from policies import services
from policies.models import ManagedPolicy, PolicyTag
from tests.cast import allow, browser_of, make_role, make_user, principal_of, root_of
from tests.policies.documents import statement
from tests.rig.sources import ROOT
from tests.test_architecture import FACTS

ASKING = {"may": 0, "require": 0, "decide": 0, "panel": 1, "denial_of": 1}
# What can't have tags.
UNTAGGED = {"group", "machine", "route_table"}
HIDDEN = {"StringEquals": {"aws:ResourceTag/class": "secret"}}
SECRET = "arn:aws:s3:::secret-garden/*"


def asked_without_tags(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        asked = node.args[ASKING.get(name, 0) :]
        if name in ASKING and len(asked) == 2 and isinstance(asked[1], ast.Attribute):
            whose, part = ast.unparse(asked[1].value), asked[1].attr
            if part in ("arn", "serial_number") and whose not in UNTAGGED:
                yield f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


def test_nobody_forgets_the_tags_of_what_is_asked_about() -> None:
    files = [file for app in (*FACTS, "access", "api") for file in (ROOT / app).rglob("*.py")]
    assert [found for file in files for found in asked_without_tags(file)] == []


@pytest.fixture
def policy(acme: Account) -> ManagedPolicy:
    made = services.create_policy(by=root_of(acme), name="hidden", document=statement(Resource=SECRET))
    PolicyTag.objects.create(bearer=made, key="class", value="secret")
    return made


def policy_pages(policy: ManagedPolicy) -> list[str]:
    return [
        reverse("policies:get-policy", args=["own", policy.name]),
        reverse("policies:create-policy-version", args=["own", policy.name]),
        f"{reverse('policies:create-policy')}?copy={policy.arn}",
    ]


def all_but_hidden(user: User, *actions: str) -> User:
    """Everything, but nothing tagged secret may be done with these."""
    allow(user, "*")
    allow(user, actions, name="hidden", Effect="Deny", Condition=HIDDEN)
    return user


@pytest.mark.bar(53, 72)
@pytest.mark.parametrize("place", range(3))
def test_a_policy_hidden_by_its_tag_is_shown_nowhere(bob: User, policy: ManagedPolicy, place: int) -> None:
    all_but_hidden(bob, "iam:GetPolicyVersion")
    assert SECRET not in browser_of(bob).get(policy_pages(policy)[place]).content.decode()


@pytest.mark.parametrize("place", range(3))
def test_a_policy_open_by_its_tag_is_shown_everywhere(bob: User, policy: ManagedPolicy, place: int) -> None:
    allow(bob, "iam:*", Condition=HIDDEN)
    assert SECRET in browser_of(bob).get(policy_pages(policy)[place]).content.decode()


def test_versions_that_may_not_be_deleted_by_their_policys_tag_keep_it(bob: User, policy: ManagedPolicy) -> None:
    services.create_policy_version(by=root_of(bob.account), policy=policy, document=statement(Resource=SECRET))
    page = reverse("policies:delete-policy", args=["own", policy.name])
    all_but_hidden(bob, "iam:DeletePolicyVersion")
    assert browser_of(bob).post(page, {"confirmation": policy.name}).status_code == 403
    allow(bob, "iam:*", name="hidden", Condition=HIDDEN)
    assert browser_of(bob).post(page, {"confirmation": policy.name}).status_code == 302


@pytest.mark.bar(53, 72)
def test_a_trust_policy_hidden_by_its_roles_tag_is_not_shown_for_changing(bob: User) -> None:
    role = make_role(bob.account, "deploy")
    RoleTag.objects.create(role=role, key="class", value="secret")
    page = reverse("identities:update-assume-role-policy", args=[role.name])
    all_but_hidden(bob, "iam:GetRole")
    assert browser_of(bob).get(page).status_code == 403
    allow(bob, "iam:*", name="hidden", Condition=HIDDEN)
    assert browser_of(bob).get(page).status_code == 200


@pytest.mark.bar(68)
def test_the_simulator_asks_no_trust_policy_that_is_hidden_by_its_roles_tag(alice: User, bob: User) -> None:
    role = make_role(bob.account, "deploy", f'{{"Version":"2012-10-17","Statement":[{_lets_in(alice)}]}}')
    RoleTag.objects.create(role=role, key="class", value="secret")
    all_but_hidden(bob, "iam:GetRole")
    asked = {"principal": "alice", "actions": "sts:AssumeRole", "resources": f"{role.arn}\n{role.arn}gone"}
    page = browser_of(bob).post(reverse("access:simulate-principal-policy"), asked).content.decode()
    assert page.count("you may not read it (<code>iam:GetRole</code>), or there is no such role") == 2


def _lets_in(user: User) -> str:
    return f'{{"Effect":"Allow","Principal":{{"AWS":"{user.arn}"}},"Action":"sts:AssumeRole"}}'


@pytest.mark.bar(127)
@pytest.mark.parametrize("kind", ["user", "policy"])
def test_an_explanation_tells_nothing_that_is_hidden_by_a_tag(bob: User, policy: ManagedPolicy, kind: str) -> None:
    carol = make_user(bob.account, "carol")
    UserTag.objects.create(user=carol, key="class", value="secret")
    all_but_hidden(bob, "iam:GetUser", "iam:GetPolicyVersion")
    reader = Reader(PrincipalGate(principal_of(bob)), bob.account_id)
    named = {"source": policy.arn, "origin": carol.arn, "digest": "", "layer": "identity"}
    reader.look_up({"resource": carol.arn, "policies": [named]})
    assert not (reader.sees(carol.arn) if kind == "user" else reader.reads(named))


@pytest.mark.parametrize("own", [True, False])
def test_a_device_is_kept_by_its_tag(bob: User, own: bool) -> None:
    owner = bob if own else make_user(bob.account, "carol")
    device = MFADevice.objects.create(account=bob.account, user=owner, name="phone", seed_encrypted="-")
    MFADeviceTag.objects.create(bearer=device, key="class", value="secret")
    all_but_hidden(bob, "iam:DeleteVirtualMFADevice")
    page = (
        reverse("access:delete-my-mfa-device", args=["phone"])
        if own
        else reverse("identities:deactivate-mfa-device", args=[owner.name, "phone"])
    )
    assert browser_of(bob).post(page).status_code == 403
    assert MFADevice.objects.filter(pk=device.pk).exists()


def test_a_user_is_not_deleted_with_a_device_that_is_kept_by_its_tag(bob: User) -> None:
    carol = make_user(bob.account, "carol")
    device = MFADevice.objects.create(account=bob.account, user=carol, name="phone", seed_encrypted="-")
    MFADeviceTag.objects.create(bearer=device, key="class", value="secret")
    all_but_hidden(bob, "iam:DeleteVirtualMFADevice")
    page = reverse("identities:delete-user", args=["carol"])
    assert browser_of(bob).post(page, {"confirmation": "carol"}).status_code == 403
    assert User.objects.filter(name="carol").exists()
