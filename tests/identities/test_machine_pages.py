"""The pages of machines and instance profiles."""

import re
from typing import Any

import pytest
from django.urls import reverse

from access.role_uses import for_machines
from accounts.models import Account
from audit.models import Event
from identities.models import InstanceProfile, Machine, Role, User
from identities.services.machines import NAME_LIMIT, create_machine_join_token
from tests.api.machines import Box, joined, profile_of, registered
from tests.cast import ACME, allow, browser_of, make_role, make_user, root_of, trusting
from tests.rig.races import THREADS, race

MACHINE_ARN = f"arn:aws:iamconsole::{ACME}:machine/build-1"


def page(who: User, name: str, /, *words: str, **query: str) -> Any:
    return browser_of(who).get(reverse(f"identities:{name}", args=words), query)


def post(who: User, name: str, /, *words: str, **form: str) -> Any:
    return browser_of(who).post(reverse(f"identities:{name}", args=words), form)


def text_of(reply: Any) -> str:
    return str(reply.content.decode())


@pytest.fixture
def profile(acme: Account) -> InstanceProfile:
    return profile_of(acme)[0]


def test_registering_shows_the_token_once_and_the_commands(alice: User, profile: InstanceProfile) -> None:
    reply = post(alice, "register-machine", name="build-1", profile="WEB")
    machine, token = Machine.objects.get(), reply.context["token"]
    text = text_of(reply)
    assert token in text and reply.headers["Cache-Control"] == "no-store"
    assert "manage.py machineagent --console http://127.0.0.1:8000 --join-token-file -" in text
    assert f"assumed-role/web/{machine.machine_id}" in text and token not in reply.wsgi_request.get_full_path()
    assert token not in text_of(page(alice, "get-machine", "build-1")) + str(list(Event.objects.values()))
    event = Event.objects.get(action="iamconsole:RegisterMachine")
    assert (event.resource, event.detail["after"]["role"]) == (MACHINE_ARN, profile.role and profile.role.arn)
    assert Box().join(token)[0] == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "a b"}, "machine name"),
        ({"name": ".."}, "more than dots"),
        ({"name": ""}, "This field is required"),
        ({"name": "x" * (NAME_LIMIT + 1)}, "at most 128"),
        ({"profile": "nothing"}, "Instance Profile nothing cannot be found"),
        ({"name": "BUILD-9"}, "A machine with name BUILD-9 already exists"),
    ],
)
def test_it_says_what_is_wrong_and_keeps_what_was_typed(
    acme: Account, alice: User, profile: InstanceProfile, form: dict[str, str], said: str
) -> None:
    registered(acme, "build-9")
    reply = post(alice, "register-machine", **{"name": "build-1", "profile": "web", **form})
    assert said in text_of(reply) and all(value in text_of(reply) for value in form.values())
    assert Machine.objects.count() == 1


def test_there_is_a_quota(acme: Account, alice: User) -> None:
    Account.objects.filter(pk=acme.pk).update(quota_overrides={"machines": 1})
    registered(acme, "first")
    assert "Cannot exceed quota for MachinesPerAccount: 1" in text_of(post(alice, "register-machine", name="second"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.bar(75)
def test_of_twenty_for_the_last_places_as_many_get_one(acme: Account) -> None:
    acme.quota_overrides = {"machines": 3}
    acme.save()

    def attempt(number: int) -> None:
        registered(acme, f"machine-{number}")

    assert race(attempt, Exception) == THREADS - 3
    assert Machine.objects.count() == 3


def test_it_lists_finds_and_sorts_them(acme: Account, alice: User, profile: InstanceProfile) -> None:
    joined(acme, "build-1", profile)
    waiting, _ = registered(acme, "build-2")
    browser, address = browser_of(alice), reverse("identities:list-machines")
    text = browser.get(address).content.decode()
    assert "Joined" in text and "Waiting to join" in text and "127.0.0.1" in text
    for query, names in {
        "q=ILD-2": ["build-2"],
        f"q={waiting.machine_id}": ["build-2"],
        "q=web": ["build-1"],
        "sort=-name": ["build-2", "build-1"],
        "sort=-seen": ["build-1", "build-2"],
        "sort=secret": ["build-1", "build-2"],
    }.items():
        assert [machine.name for machine, _ in browser.get(f"{address}?{query}").context["rows"]] == names, query
    assert "No machine fits this search" in browser.get(f"{address}?q=nothing").content.decode()
    Machine.objects.all().delete()
    assert "There are no machines yet" in browser.get(address).content.decode()


def test_its_page_says_what_it_is_given_and_what_is_missing(
    acme: Account, alice: User, profile: InstanceProfile
) -> None:
    box, machine = joined(acme, profile=profile)
    text = text_of(page(alice, "get-machine", "BUILD-1"))
    assert f"assumed-role/web/{machine.machine_id}" in text and "does not name" not in text
    create_machine_join_token(by=root_of(acme), machine=machine)
    assert "has not joined yet" in text_of(page(alice, "get-machine", "build-1"))
    Role.objects.filter(name="web").update(document=trusting(acme.root_arn))
    assert "does not name <code>ec2.amazonaws.com</code>" in text_of(page(alice, "get-machine", "build-1"))
    InstanceProfile.objects.all().delete()
    assert "the machine has no instance profile" in text_of(page(alice, "get-machine", "build-1"))


def test_the_profile_is_shown_to_whoever_may_see_it(acme: Account, bob: User, profile: InstanceProfile) -> None:
    joined(acme, profile=profile)
    allow(bob, "iamconsole:GetMachine", MACHINE_ARN)
    text = text_of(page(bob, "get-machine", "build-1"))
    assert "iam:GetInstanceProfile" in text and "assumed-role" not in text
    assert not re.search(r'href="[^"]*/(update|remove|token)/"', text)


def test_it_is_renamed_and_given_another_profile(acme: Account, alice: User, profile: InstanceProfile) -> None:
    machine, _ = registered(acme, profile=profile)
    profile_of(acme, "batch")
    assert post(alice, "update-machine", "build-1", name="worker-1", profile="batch").status_code == 302
    machine.refresh_from_db()
    assert machine.profile and (machine.name, machine.profile.name) == ("worker-1", "batch")
    event = Event.objects.get(action="iamconsole:UpdateMachine")
    assert [event.detail[when]["name"] for when in ("before", "after")] == ["build-1", "worker-1"]
    registered(acme, "taken")
    assert "already exists" in text_of(post(alice, "update-machine", "worker-1", name="TAKEN", profile="batch"))
    assert post(alice, "update-machine", "worker-1", name="worker-1", profile="").status_code == 302
    assert Machine.objects.get(pk=machine.pk).profile is None


@pytest.mark.parametrize("way", ["register", "update"])
def test_giving_a_machine_a_role_takes_pass_role(acme: Account, bob: User, way: str) -> None:
    """On the role, to that machine; an empty profile hands nothing over."""
    _, role = profile_of(acme)
    registered(acme, "build-1")
    name = "build-2" if way == "register" else "build-1"
    machines = f"arn:aws:iamconsole::{ACME}:machine/*"
    allow(bob, ["iamconsole:RegisterMachine", "iamconsole:UpdateMachine", "iamconsole:GetMachine"], machines, name="m")

    def tried() -> Any:
        words = ("register-machine",) if way == "register" else ("update-machine", "build-1")
        return post(bob, *words, name=name, profile="web")

    refused = tried()
    assert refused.status_code == 403 and "iam:GetInstanceProfile" in text_of(refused)
    allow(bob, "iam:GetInstanceProfile", name="profiles")
    refused = tried()
    assert refused.status_code == 403 and "iam:PassRole" in text_of(refused)
    passing = {"iam:PassedToService": "ec2.amazonaws.com", "iam:AssociatedResourceArn": f"{machines[:-1]}{name}"}
    for wrong in ({"iam:PassedToService": "lambda.amazonaws.com"}, {"iam:AssociatedResourceArn": f"{machines[:-1]}x"}):
        allow(bob, "iam:PassRole", role.arn, name="pass", Condition={"StringEquals": passing | wrong})
        assert tried().status_code == 403
    allow(bob, "iam:PassRole", role.arn, name="pass", Condition={"StringEquals": passing})
    assert tried().status_code in (200, 302)
    assert Machine.objects.get(name=name).profile


def test_a_profile_that_one_may_not_see_is_as_one_that_is_not_there(acme: Account, bob: User) -> None:
    profile_of(acme)
    allow(bob, "iamconsole:RegisterMachine", name="m")
    answers = [post(bob, "register-machine", name="build-1", profile=name) for name in ("web", "wob")]
    texts = [re.sub(r'csrf[^>]*>|X-CSRFToken[^}]*}|/why/[^"]*|w[eo]b', "", text_of(answer)) for answer in answers]
    assert [answer.status_code for answer in answers] == [403, 403] and texts[0] == texts[1]


def test_renaming_takes_the_permission_on_both_names(acme: Account, bob: User) -> None:
    registered(acme)
    allow(bob, ["iamconsole:GetMachine", "iamconsole:UpdateMachine"], MACHINE_ARN)
    assert post(bob, "update-machine", "build-1", name="admin-1", profile="").status_code == 403
    assert post(bob, "update-machine", "build-1", name="build-1", profile="").status_code == 302


@pytest.mark.bar(90)
def test_a_new_token_and_removing_end_what_it_has(acme: Account, alice: User, profile: InstanceProfile) -> None:
    box, _ = joined(acme, profile=profile)
    assert "refused at the next call" in text_of(page(alice, "create-machine-join-token", "build-1"))
    token = post(alice, "create-machine-join-token", "build-1").context["token"]
    assert box.credentials()[0] == 403
    again = Box()
    assert again.join(token)[0] == 200 and again.credentials()[0] == 200
    assert post(alice, "remove-machine", "build-1", confirmation="build").status_code == 200
    assert again.credentials()[0] == 200
    assert post(alice, "remove-machine", "build-1", confirmation="build-1").status_code == 302
    assert again.credentials()[0] == 403 and not Machine.objects.exists()
    actions = set(Event.objects.values_list("action", flat=True))
    assert {"iamconsole:CreateMachineJoinToken", "iamconsole:RemoveMachine"} <= actions


@pytest.mark.bar(68, 127)
def test_a_new_token_for_a_machine_with_a_role_takes_pass_role(
    acme: Account, bob: User, profile: InstanceProfile
) -> None:
    """Else whoever may only make tokens has the role of every machine; the refusal does not tell which one it is."""
    joined(acme, profile=profile)
    allow(bob, ["iamconsole:GetMachine", "iamconsole:CreateMachineJoinToken"], MACHINE_ARN, name="m")
    refused = post(bob, "create-machine-join-token", "build-1")
    assert refused.status_code == 403 and "iam:PassRole" in text_of(refused) and "role/web" not in text_of(refused)
    assert Machine.objects.get().has_joined
    passing = {"iam:PassedToService": "ec2.amazonaws.com", "iam:AssociatedResourceArn": MACHINE_ARN}
    assert profile.role is not None
    allow(bob, "iam:PassRole", profile.role.arn, name="pass", Condition={"StringEquals": passing})
    assert "token" in post(bob, "create-machine-join-token", "build-1").context


@pytest.mark.parametrize("name", ["register-machine", "create-machine-join-token"])
def test_a_token_is_given_to_somebody_who_is_still_there(acme: Account, alice: User, name: str) -> None:
    registered(acme)
    words = () if name == "register-machine" else ("build-1",)
    reply = browser_of(alice, fresh=False).post(reverse(f"identities:{name}", args=words), {"name": "x"})
    assert reply.status_code == 302 and "/confirm/" in reply.headers["Location"]


def test_it_makes_a_profile_with_a_role(acme: Account, alice: User) -> None:
    make_role(acme, "web", for_machines())
    make_role(acme, "people")
    form = page(alice, "create-instance-profile", role="web", name="web")
    assert form.context["form"].offered == ["web"] and 'value="web"' in text_of(form)
    assert post(alice, "create-instance-profile", name="web", role="WEB").status_code == 302
    profile = InstanceProfile.objects.get()
    assert profile.role and profile.role.name == "web"
    assert "Register a machine with it" in text_of(page(alice, "get-instance-profile", "web"))
    for wrong, said in (({"role": "nobody"}, "The role with name nobody cannot"), ({"name": "WEB"}, "already exists")):
        reply = post(alice, "create-instance-profile", **{"name": "other", "role": "", **wrong})
        assert said in text_of(reply)
    assert InstanceProfile.objects.count() == 1


@pytest.mark.parametrize("missing", ["CreateInstanceProfile", "AddRoleToInstanceProfile", "PassRole"])
def test_making_a_profile_with_a_role_takes_every_permission(acme: Account, bob: User, missing: str) -> None:
    make_role(acme, "web", for_machines())
    steps = {"CreateInstanceProfile", "AddRoleToInstanceProfile", "PassRole"}
    allow(bob, [f"iam:{step}" for step in steps - {missing}])
    for role in ("web", "nobody"):
        # Nobody who may not pass a role learns whether it is there.
        assert post(bob, "create-instance-profile", name="web", role=role).status_code == 403
    assert not InstanceProfile.objects.exists()


def test_the_role_is_put_in_and_taken_out(acme: Account, alice: User, profile: InstanceProfile) -> None:
    box, _ = joined(acme, profile=profile)
    asked = text_of(page(alice, "remove-role-from-instance-profile", "web"))
    assert "applications of one machine" in asked.replace("\n", " ")
    assert post(alice, "remove-role-from-instance-profile", "web").status_code == 302
    assert box.credentials()[1]["Error"]["Code"] == "NoRole"
    assert "The profile is empty" in text_of(page(alice, "get-instance-profile", "web"))
    assert "cannot be found" in text_of(post(alice, "add-role-to-instance-profile", "web", role="nobody"))
    assert post(alice, "add-role-to-instance-profile", "web", role="web").status_code == 302
    assert box.credentials()[0] == 200
    assert "Cannot exceed quota" in text_of(post(alice, "add-role-to-instance-profile", "web", role="web"))


def test_putting_a_role_in_takes_pass_role(acme: Account, bob: User, profile: InstanceProfile) -> None:
    InstanceProfile.objects.update(role=None)
    allow(bob, ["iam:AddRoleToInstanceProfile", "iam:GetInstanceProfile"])
    assert post(bob, "add-role-to-instance-profile", "web", role="web").status_code == 403
    allow(bob, "iam:PassRole", name="pass")
    assert post(bob, "add-role-to-instance-profile", "web", role="web").status_code == 302


@pytest.mark.bar(90)
def test_deleting_a_profile_says_what_ends(acme: Account, alice: User, bob: User, profile: InstanceProfile) -> None:
    box, machine = joined(acme, profile=profile)
    asked = text_of(page(alice, "delete-instance-profile", "web"))
    assert "The role web leaves it" in asked and "One machine has" in asked
    allow(bob, ["iam:DeleteInstanceProfile", "iam:GetInstanceProfile"])
    assert post(bob, "delete-instance-profile", "web", confirmation="web").status_code == 403
    assert post(alice, "delete-instance-profile", "web", confirmation="web").status_code == 302
    machine.refresh_from_db()
    assert machine.profile is None and box.credentials()[1]["Error"]["Code"] == "NoRole"


def test_the_list_of_profiles_counts_machines_for_whoever_may_list_them(
    acme: Account, alice: User, bob: User, profile: InstanceProfile
) -> None:
    registered(acme, profile=profile)
    found = page(alice, "list-instance-profiles", q="WE").context["page"].object_list
    assert [(row.name, row.used_by) for row in found] == [("web", 1)]
    allow(bob, "iam:ListInstanceProfiles")
    assert "Not allowed: iamconsole:ListMachines" in text_of(page(bob, "list-instance-profiles"))
    assert "No instance profile fits" in text_of(page(alice, "list-instance-profiles", q="nothing"))


@pytest.mark.bar(61)
def test_it_hides_other_accounts(mallory: User, acme: Account, profile: InstanceProfile) -> None:
    registered(acme, profile=profile)
    for name, word in (("get-machine", "build-1"), ("get-instance-profile", "web"), ("remove-machine", "build-1")):
        assert page(mallory, name, word).status_code == 404
    for name in ("list-machines", "list-instance-profiles"):
        assert "build-1" not in text_of(page(mallory, name)) and ">web<" not in text_of(page(mallory, name))


@pytest.mark.bar(53)
def test_each_page_asks_for_its_own_permission_on_the_machine(acme: Account, profile: InstanceProfile) -> None:
    registered(acme)
    for name, action in {
        "get-machine": "GetMachine",
        "update-machine": "UpdateMachine",
        "create-machine-join-token": "CreateMachineJoinToken",
        "remove-machine": "RemoveMachine",
    }.items():
        person = make_user(acme, f"user-{name}")
        allow(person, ["iamconsole:GetMachine", f"iamconsole:{action}"], MACHINE_ARN.replace("-1", "-2"))
        assert page(person, name, "build-1").status_code == 403
        allow(person, ["iamconsole:GetMachine", f"iamconsole:{action}"], MACHINE_ARN)
        assert page(person, name, "build-1").status_code == 200
