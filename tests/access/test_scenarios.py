"""Every answer to “Who needs access?”, walked through as an administrator would, from that page to credentials that
work: what the last page gives to copy is what is used."""

import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.session import Session
from django.test import Client
from django.urls import reverse

from access.role_uses import USES
from access.scenarios import SCENARIOS
from accounts.models import Account
from iamconsole.agent.console import Console
from iamconsole.agent.keeper import Keeper
from iamconsole.agent.metadata import Metadata
from iamconsole.agent.server import DEFAULT_PORT, MetadataServer
from iamconsole.agent.state import StateFolder
from identities.models import Machine, User
from tests.access.steps import LONG_PASSWORD
from tests.access.walking import Walk
from tests.api.conftest import SECRET, key_of
from tests.cast import browser_of
from tests.federation.companies import metadata
from tests.federation.forge import Sent, encoded, signed
from tests.federation.issuers import Issuer
from tests.rig.programs import AWS, CONFIG, REGION, Credentials, Programs

START = "/who-needs-access/"


@pytest.fixture
def here(settings: Any, programs: Programs) -> Programs:
    """The console at an address that programs reach, and that its pages tell."""
    settings.SITE_URL = programs.endpoint
    return programs


def begin(who: User | Account, title: str, link: str) -> Walk:
    return Walk(browser_of(who), START).follow(link, under=title)


def finish(walk: Walk, name: str, policy: str = "IAMReadOnlyAccess") -> Walk:
    """From the trust policy to the page that says how the role is used."""
    if walk.address.startswith("/identities/roles/create/who/"):
        walk.press("Next: trust policy")
    walk.press("Next: permissions")
    walk.press("Next: name and limits", policies=f"arn:aws:iam::aws:policy/{policy}")
    walk.press("Next: review", name=name).press("Create role")
    assert walk.heading == f"How to use {name}"
    return walk


def signed_in(walk: Walk, name: str) -> Client:
    """Somebody's browser: with what the last page showed they sign in, and choose a password of their own."""
    address, password = walk.copied("the sign-in page"), walk.copied("Console password")
    theirs = Walk(Client(), urlsplit(address).path)
    theirs.press("Sign in", user_name=name, password=password)
    theirs.press("Change the password and sign in", password=LONG_PASSWORD, password_again=LONG_PASSWORD)
    assert theirs.heading == "Dashboard"
    return theirs.browser


def made_user(walk: Walk, name: str) -> Walk:
    walk.press("Next: permissions", name=name).press("Next: review").press("Create user")
    assert walk.heading == f"{name} was created"
    return walk


def who_is(session: boto3.Session) -> str:
    return session.client("sts", config=CONFIG).get_caller_identity()["Arn"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a program that finds nothing but what a test puts there."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


def profile(home: Path, text: str, who: User) -> boto3.Session:
    """A program of somebody's with the profile that a page gave."""
    keys = f"[default]\naws_access_key_id={key_of(who).access_key_id}\naws_secret_access_key={SECRET}\n"
    (home / "credentials").write_text(keys)
    (home / "config").write_text(f"{text}\nregion = {REGION}\n")
    name = text.partition("]")[0].removeprefix("[profile ")
    return boto3.Session(botocore_session=Session(profile=name))


def test_each_page_that_it_leads_to_is_there(alice: User) -> None:
    browser = browser_of(alice)
    steps = [step for scenario in SCENARIOS for step in scenario.steps]
    for step in steps:
        assert browser.get(f"{reverse(step.url_name)}?{step.query}", follow=True).status_code == 200
    answers = {step.query.removeprefix("who=") for step in steps if step.query.startswith("who=")}
    assert answers == {use.key for use in USES} - {"custom"}
    assert browser.get("/dashboard/").content.decode().count(START) == 2


def test_whoever_may_do_nothing_sees_the_guide_and_what_is_missing(bob: User) -> None:
    browser = browser_of(bob)
    assert browser.get(START).status_code == 200
    assert browser.get("/identities/roles/create/who/?who=web").status_code == 403


def test_the_way_for_a_single_person_ends_in_an_administrator_who_can_sign_in(acme: Account) -> None:
    walk = begin(acme, "You, or one other person", "Create an administrator")
    made_user(walk, "maria")
    assert "next step that is named at the top, then sign out as root" in walk.text, "Root has no second factor yet."
    assert signed_in(walk, "maria").get("/identities/users/create/").status_code == 200


def test_the_way_for_several_people_ends_in_users_of_a_group_who_can_sign_in(alice: User) -> None:
    walk = begin(alice, "Several people who sign in nowhere else", "Create the group with its policies")
    walk.press("Next: policies", name="Readers")
    walk.press("Next: users", policies="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    walk.press("Next: review").press("Create group").follow("Create a user in it")
    made_user(walk, "carol")
    assert signed_in(walk, "carol").get("/identities/users/").status_code == 200
    made_user(walk.follow("Create another user like this"), "dora")
    theirs = signed_in(walk, "dora")
    assert theirs.get("/identities/users/").status_code == 200
    assert theirs.get("/identities/users/create/").status_code == 403


def test_an_application_on_a_machine(alice: User, here: Programs, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is told what the page's command tells it, and the application what its environment says."""
    walk = finish(begin(alice, "An application on a machine", "Create the role of the application"), "worker")
    walk.follow("Register a machine").press("Register the machine", name="build-1")
    command, environment = walk.copied("Copy the command").split(), walk.copied("Copy the environment")
    assert command[1:3] == ["manage.py", "machineagent"] and command[-2:] == ["--join-token-file", "-"]
    console = Console.at(command[command.index("--console") + 1])
    state, token = StateFolder(home / "state"), walk.copied("Copy the join token")
    with MetadataServer(("127.0.0.1", 0), Metadata(Keeper(state, console, token).look, "", REGION)) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        for name, value in re.findall(r"export (\w+)=(\S+)", environment):
            monkeypatch.setenv(name, value.replace(f"127.0.0.1:{DEFAULT_PORT}", f"127.0.0.1:{server.server_port}"))
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        machine = Machine.objects.get(name="build-1")
        assert who_is(boto3.Session()).endswith(f":assumed-role/worker/{machine.machine_id}")
        assert boto3.client("iam", config=CONFIG).list_users()["Users"]
        server.shutdown()
    assert walk.follow("See whether it has joined").heading == "build-1" and "Joined" in walk.text


@pytest.mark.django_db(transaction=True)
def test_a_mobile_app_or_a_program_elsewhere(
    alice: User,
    issuer: Issuer,
    here: Programs,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = "Add the provider (Google and Amazon Cognito are known)"
    walk = begin(alice, "A mobile app, or a program elsewhere", provider)
    walk.press("Add the provider", url=issuer.url, client_ids="app").follow("Create a role for it")
    finish(walk.press("Next: trust policy", subject="jane"), "mobile")
    arn = f"arn:aws:sts::{alice.account_id}:assumed-role/mobile/my-app"

    (home / "token").write_text(issuer.token())
    environment = dict(line.split("=", 1) for line in walk.copied("Environment of a program").splitlines())
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("/path/to/token", str(home / "token")))
    assert who_is(boto3.Session()) == arn

    for label in ("AWS command line", "From an app"):
        command = re.sub("^aws", f"{sys.executable} {AWS}", walk.copied(label))
        told = {"PATH": os.environ["PATH"], "HOME": str(home), "TOKEN": issuer.token()}
        done = subprocess.run(
            ["/bin/sh", "-c", command], env=told, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0 and arn in done.stdout, done.stderr + done.stdout


@pytest.mark.django_db(transaction=True)
def test_people_of_a_company_by_saml(alice: User, here: Programs) -> None:
    walk = begin(alice, "People of a company, by SAML", "Add the company's provider")
    walk.press("Add the provider", name="corp", metadata=metadata()).follow("Create a role for it")
    finish(walk, "company")
    attribute, value = walk.copied("First attribute"), walk.copied("Its value, one for each role")
    attributes = {attribute: [value], walk.copied("Second attribute"): ["jane@corp.example"]}
    acs = walk.copied("Reply address (ACS)")
    sent = Sent(audience=walk.copied("Entity ID (audience)"), recipient=acs, destination=acs, attributes=attributes)
    role, provider = value.split(",")

    sts = boto3.client("sts", endpoint_url=here.endpoint, region_name=REGION, config=Config(signature_version=UNSIGNED))
    made = sts.assume_role_with_saml(RoleArn=role, PrincipalArn=provider, SAMLAssertion=encoded(signed(sent)))
    found = made["Credentials"]
    session = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    assert [user["UserName"] for user in here.iam(session).list_users()["Users"]] == ["alice"]

    begun = Client().get(walk.link("Its people begin here"))
    assert begun.status_code == 302 and begun.headers["Location"].startswith("https://idp.corp.example/sso?")


@pytest.mark.django_db(transaction=True)
def test_people_of_a_company_by_its_own_sign_in_program(alice: User, here: Programs, home: Path) -> None:
    title = "People of a company, by its own sign-in program"
    walk = begin(alice, title, "Create a user for the program, with an access key")
    made_user(walk, "front-door").follow("Create an access key").press("Create access key")
    key = Credentials(walk.copied("Access key id"), walk.copied("Secret access key"))
    walk = begin(alice, title, "Create the role that the program takes on").press("Next: trust policy")
    assert "Tick the user whose access key the program has" in walk.text
    finish(walk.press("Next: trust policy", users="front-door"), "staff")

    command = [sys.executable, "-c", walk.copied("In Python"), "jane"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **key.environment()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    address = urlsplit(done.stdout.strip())
    assert address.path == urlsplit(walk.copied("Where sign-in tokens come from")).path
    janes = Walk(Client(), f"{address.path}?{address.query}")
    assert janes.heading == "Dashboard" and "staff / jane" in janes.browser.get("/dashboard/").content.decode()
    assert janes.browser.get("/identities/users/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_way_for_another_account_ends_in_a_role_that_it_can_assume(
    alice: User, mallory: User, here: Programs, home: Path
) -> None:
    walk = begin(alice, "Another account", "Create the role for the other account")
    walk.press("Next: trust policy", account=mallory.account_id, external_id="c-17")
    finish(walk, "partner")
    assert walk.copied("External id") == "c-17"
    session = profile(home, walk.copied("Profile"), mallory)
    assert walk.copied("Role ARN") in walk.copied("Policy")
    assert who_is(session).startswith(f"arn:aws:sts::{alice.account_id}:assumed-role/partner/")


@pytest.mark.django_db(transaction=True)
def test_a_user_who_needs_more_for_a_while(alice: User, bob: User, here: Programs, home: Path) -> None:
    walk = begin(alice, "A user who needs more for a while", "Create the role for the task")
    finish(walk.press("Next: trust policy", users="bob"), "auditor")
    assert who_is(profile(home, walk.copied("Profile"), bob)).startswith(
        f"arn:aws:sts::{alice.account_id}:assumed-role/auditor/"
    )
    theirs = Walk(browser_of(bob), walk.link("Link"))
    assert theirs.press("Switch role").heading == "Dashboard"
    assert theirs.browser.get("/identities/users/").status_code == 200
