"""What a machine gets over the wire: it joins once, proves itself at each request, and has its role's credentials."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from access.gate import authorize
from accounts.models import Account
from audit import clock
from audit.models import Event
from identities.machine_proof import CREDENTIALS_PATH, JOIN_PATH
from identities.models import InstanceProfile, Machine, User
from identities.services.instance_profiles import (
    add_role_to_instance_profile,
    delete_instance_profile,
    remove_role_from_instance_profile,
)
from identities.services.machines import (
    create_machine_join_token,
    remove_machine,
    update_machine,
)
from identities.services.role_sessions import revoke_sessions
from identities.services.roles import delete_role_with_everything, fingerprint, update_assume_role_policy
from tests.api.machines import Box, code, joined, profile_of, registered
from tests.api.program import Program, Refused
from tests.api.test_federated_roles import credentials_of
from tests.cast import ACME, allow, browser_of, make_role, root_of, trusting
from tests.rig.races import THREADS, race

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}


def trust(**more: Any) -> str:
    statement = {**TRUST["Statement"][0], "Principal": {"Service": "ec2.amazonaws.com"}, **more}  # type: ignore[dict-item] # a statement
    return json.dumps({**TRUST, "Statement": [statement]})


def program_with(answer: dict[str, Any]) -> Program:
    made = answer["Credentials"]
    return Program(made["AccessKeyId"], made["SecretAccessKey"], token=made["Token"])


@pytest.fixture
def profile(acme: Account) -> InstanceProfile:
    return profile_of(acme)[0]


@pytest.fixture
def box(acme: Account, profile: InstanceProfile) -> Box:
    return joined(acme, profile=profile)[0]


def test_a_machine_joins_and_gets_its_roles_credentials(acme: Account, profile: InstanceProfile) -> None:
    machine, token = registered(acme, "build-1", profile)
    box = Box()
    assert box.join(token) == (200, {"MachineId": machine.machine_id, "AccountId": ACME})
    status, answer = box.credentials()
    assert (status, answer["RoleName"], answer["InstanceProfileArn"]) == (200, "web", profile.arn)
    who = program_with(answer).sts("GetCallerIdentity")
    assert who["Arn"] == f"arn:aws:sts::{ACME}:assumed-role/web/{machine.machine_id}"
    machine.refresh_from_db()
    assert machine.last_seen_at is not None and machine.last_address == "127.0.0.1"


def test_it_may_what_the_role_may(acme: Account, box: Box, profile: InstanceProfile) -> None:
    program = program_with(box.credentials()[1])
    with pytest.raises(Refused, match="not authorized to perform: iam:ListUsers"):
        program.iam("ListUsers")
    assert profile.role
    allow(profile.role, "iam:ListUsers")
    assert program.iam("ListUsers")["Users"] == []


@pytest.mark.bar(121)
def test_the_trail_names_the_machine_and_holds_no_secret(acme: Account, box: Box) -> None:
    _, answer = box.credentials()
    events = Event.objects.filter(principal_type="machine").order_by("id")
    assert [event.action for event in events] == ["iamconsole:JoinMachine", "sts:AssumeRole"]
    assert {event.principal_arn for event in events} == {f"arn:aws:iamconsole::{ACME}:machine/build-1"}
    assert events[1].detail["session"] == box.machine_id
    text = str(list(Event.objects.values())) + str(list(Machine.objects.values()))
    assert not [secret for secret in answer["Credentials"].values() if str(secret) in text and len(str(secret)) > 25]


@pytest.mark.bar(87)
def test_credentials_last_as_long_as_the_setting_says_and_no_longer(box: Box, settings: Any) -> None:
    settings.MACHINE_CREDENTIALS_SECONDS = 21600  # longer than the role's own sessions
    _, answer = box.credentials()
    program = program_with(answer)
    with time_machine.travel(clock.now() + timedelta(seconds=21590)):
        assert program.sts("GetCallerIdentity")
    with time_machine.travel(clock.now() + timedelta(seconds=21601)), pytest.raises(Refused, match="expired"):
        program.sts("GetCallerIdentity")


def test_it_keeps_what_it_has_while_it_has_the_same_role(acme: Account, box: Box, profile: InstanceProfile) -> None:
    given = box.credentials()[1]
    has = {"Keep": given["RoleId"], "Issued": given["Credentials"]["Issued"]}
    events = Event.objects.count()
    status, answer = box.credentials(has)
    assert (status, "Credentials" in answer, Event.objects.count()) == (200, False, events)
    for wrong in ({"Keep": "AROAOFBEFORE"}, {"Issued": None}, {"Issued": "now"}):
        assert "Credentials" in box.credentials(has | wrong)[1]


Ending = Callable[[Account, Machine], object]
REMOVED: dict[str, Ending] = {
    "the machine is removed": lambda acme, machine: remove_machine(by=root_of(acme), machine=machine),
    "it gets a new token": lambda acme, machine: create_machine_join_token(by=root_of(acme), machine=machine),
}
CHANGED: dict[str, Ending] = {
    "its profile is taken": lambda acme, machine: update_machine(
        by=root_of(acme), machine=machine, name="build-1", profile=None
    ),
    "it gets another profile": lambda acme, machine: update_machine(
        by=root_of(acme), machine=machine, name="build-1", profile=profile_of(acme, "other")[0]
    ),
    "the role leaves the profile": lambda acme, machine: emptied(acme, machine.profile),
    "the profile is deleted": lambda acme, machine: delete_instance_profile(
        by=root_of(acme), profile=emptied(acme, machine.profile)
    ),
    "the role is deleted": lambda acme, machine: deleted_role(acme, machine.profile),
    "the role is another of its name": lambda acme, machine: made_anew(acme, machine.profile),
}


def emptied(acme: Account, profile: InstanceProfile | None) -> InstanceProfile:
    assert profile and profile.role
    remove_role_from_instance_profile(by=root_of(acme), profile=profile, role=profile.role)
    return profile


def deleted_role(acme: Account, profile: InstanceProfile | None) -> None:
    assert profile and profile.role
    role = profile.role
    delete_role_with_everything(by=root_of(acme), role=role, seen=fingerprint(role))


def made_anew(acme: Account, profile: InstanceProfile | None) -> None:
    assert profile
    deleted_role(acme, profile)
    add_role_to_instance_profile(by=root_of(acme), profile=profile, role=make_role(acme, "web", trust()))


@pytest.mark.bar(90)
@pytest.mark.parametrize("end", [*REMOVED.values(), *CHANGED.values()], ids=[*REMOVED, *CHANGED])
def test_live_credentials_end_at_once_when(end: Ending, acme: Account, profile: InstanceProfile) -> None:
    box, machine = joined(acme, profile=profile)
    program = program_with(box.credentials()[1])
    assert program.sts("GetCallerIdentity")
    end(acme, machine)
    with pytest.raises(Refused) as refused:
        program.sts("GetCallerIdentity")
    assert (refused.value.status, refused.value.code) == (403, "InvalidClientTokenId")
    if end in REMOVED.values():
        assert code(box.credentials()) == "InvalidMachineProof"


@pytest.mark.bar(90)
@pytest.mark.parametrize("end", REMOVED.values(), ids=REMOVED)
def test_what_came_of_them_by_further_roles_ends_as_well(end: Ending, acme: Account, profile: InstanceProfile) -> None:
    """Whoever copied a machine's key would keep another role for an hour."""
    box, machine = joined(acme, profile=profile)
    chained, role = [program_with(box.credentials()[1])], profile.role
    for name in ("further", "last"):
        assert role
        allow(role, "sts:AssumeRole")
        role = make_role(acme, name)
        chained.append(credentials_of(chained[-1].sts("AssumeRole", RoleArn=role.arn, RoleSessionName="on")))
    assert all(each.sts("GetCallerIdentity") for each in chained)
    end(acme, machine)
    for each in chained:
        with pytest.raises(Refused, match="InvalidClientTokenId"):
            each.sts("GetCallerIdentity")


@pytest.mark.bar(90)
def test_revoking_the_roles_sessions_takes_everything_from_what_was_given(
    acme: Account, box: Box, profile: InstanceProfile
) -> None:
    assert profile.role
    allow(profile.role, "iam:ListUsers")
    program = program_with(box.credentials()[1])
    assert program.iam("ListUsers")
    revoke_sessions(by=root_of(acme), role=profile.role)
    with pytest.raises(Refused, match="explicit deny"):
        program.iam("ListUsers")
    with time_machine.travel(clock.now() + timedelta(seconds=2)):
        assert program_with(box.credentials()[1]).iam("ListUsers")["Users"] == []


@pytest.mark.bar(91)
@pytest.mark.parametrize(
    ("document", "allowed"),
    [
        (trust(), True),
        (trust(Principal={"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}), True),
        (trust(Principal={"Service": "lambda.amazonaws.com"}), False),
        (trusting(f"arn:aws:iam::{ACME}:root"), False),
        (trust(Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:iamconsole::{ACME}:machine/build-*"}}), True),
        (trust(Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:iamconsole::{ACME}:machine/web-*"}}), False),
        (trust(Condition={"StringEquals": {"aws:SourceAccount": ACME}}), True),
        (trust(Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}), True),
        (trust(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), False),
        (trust(Condition={"StringEquals": {"sts:ExternalId": "x"}}), False),
        (trust(Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}}), True),
        (trust(Condition={"StringLike": {"aws:PrincipalArn": "*"}}), False),
    ],
)
def test_the_trust_policy_decides(acme: Account, document: str, allowed: bool) -> None:
    profile, role = profile_of(acme, trust=document)
    box, machine = joined(acme, profile=profile)
    status, answer = box.credentials()
    assert (status == 200) is allowed
    if not allowed:
        assert answer["Error"]["Code"] == "AssumeRoleUnauthorizedAccess"
        event = Event.objects.get(action="sts:AssumeRole")
        assert (event.outcome, event.resource, event.principal_arn) == ("Denied", role.arn, machine.arn)


def test_a_refusal_is_recorded_once_and_names_the_statement_to_whoever_may_see_it(acme: Account, alice: User) -> None:
    """A machine asks every minute; another trust policy is another refusal."""
    profile, role = profile_of(acme, trust=trust(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    box, _ = joined(acme, profile=profile)
    assert [box.credentials()[0] for _ in range(3)] == [403, 403, 403]
    event = Event.objects.get(action="sts:AssumeRole")
    page = browser_of(alice).get(reverse("access:why", args=[event.event_id])).content.decode()
    assert "aws:SourceIp" in page and "10.0.0.0/8" in page and "127.0.0.1" in page
    update_assume_role_policy(by=root_of(acme), role=role, document=trusting(acme.root_arn))
    assert box.credentials()[0] == 403 and Event.objects.filter(action="sts:AssumeRole").count() == 2


def test_a_machine_without_a_role_gets_nothing(acme: Account) -> None:
    assert code(joined(acme)[0].credentials()) == "NoRole"


@pytest.mark.django_db(transaction=True)
@pytest.mark.bar(83)
def test_of_twenty_with_the_same_proof_one_is_answered(acme: Account, profile: InstanceProfile) -> None:
    box, _ = joined(acme, profile=profile)
    header = box.header(CREDENTIALS_PATH, b"{}")

    def attempt(number: int) -> None:
        if box.credentials(header=header)[0] != 200:
            raise ConnectionRefusedError

    assert race(attempt, ConnectionRefusedError) == THREADS - 1


@pytest.mark.bar(83)
def test_a_proof_counts_once_and_only_for_what_it_was_made_for(acme: Account, box: Box) -> None:
    other, _ = joined(acme, "build-2")
    header = box.header(CREDENTIALS_PATH, b"{}")
    assert code(box.credentials({"Keep": "x"}, header=header)) == "InvalidMachineProof"  # another body
    assert box.credentials(header=header)[0] == 200
    for wrong in (
        {"header": header},  # used
        {"at": box.at - 5},  # older than one that was taken
        {"path": JOIN_PATH},
        {"machine_id": other.machine_id},
        {"machine_id": "i-00000000000000000"},
        {"header": "Machine"},
        {"header": f"Machine {box.machine_id}:{box.at + 9}:AAAA"},
        {"header": header.replace("Machine", "Bearer")},
    ):
        assert code(box.credentials(**wrong)) == "InvalidMachineProof", wrong
    other.machine_id = box.machine_id
    assert code(other.credentials()) == "InvalidMachineProof"
    assert box.credentials()[0] == 200


@pytest.mark.bar(83)
@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_proof_of_another_time_is_refused_and_the_time_said(box: Box, seconds: int) -> None:
    with time_machine.travel(clock.now(), tick=False):
        at = int((clock.now().timestamp() + seconds) * 1_000_000)
        status, answer = box.credentials(at=at)
        assert (status, answer["Error"]["Code"]) == (403, "RequestTimeTooSkewed")
        assert f"{clock.now():%Y-%m-%dT%H:%M}" in answer["Error"]["Message"]


@pytest.mark.bar(126)
@pytest.mark.parametrize("path", [JOIN_PATH, CREDENTIALS_PATH])
@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{" * 5000, b'{"Token": 1, "PublicKey": []}'])
def test_odd_words_are_refused(box: Box, path: str, body: bytes) -> None:
    for header in ("", box.header(path, body)):
        reply = Client().post(path, body, content_type="application/json", headers={"Authorization": header})
        fine = header and body.startswith(b'{"Token') and path == CREDENTIALS_PATH
        assert fine or 400 <= reply.status_code < 500 and "Error" in json.loads(reply.content)
    reply = Client().get(path)
    assert (reply.status_code, reply.json()["Error"]["Code"]) == (405, "MethodNotAllowed")
    assert reply.headers["Allow"] == "POST"


@pytest.mark.bar(94)
@pytest.mark.parametrize("path", ["/latest/api/token", "/latest/meta-data/", "/credentials"])
def test_the_console_itself_is_no_metadata_service(acme: Account, path: str) -> None:
    asked = {"x-aws-ec2-metadata-token-ttl-seconds": "60", "Authorization": "x"}
    assert {Client().put(path, headers=asked).status_code, Client().get(path, headers=asked).status_code} == {404}


def test_another_accounts_profile_is_as_if_not_there(acme: Account, globex: Account) -> None:
    profile, _ = profile_of(globex, "theirs")
    with pytest.raises(Exception, match="Instance Profile theirs cannot be found"):
        registered(acme, profile=profile)
    machine, _ = registered(acme)
    with pytest.raises(Exception, match="Instance Profile theirs cannot be found"):
        update_machine(by=root_of(acme), machine=machine, name="x", profile=profile)


def test_a_machines_session_is_decided_like_any_other(acme: Account, box: Box) -> None:
    """The principal is a role's session: nothing of the machine's own counts."""
    program = program_with(box.credentials()[1])
    with pytest.raises(Refused, match="Cannot call GetSessionToken with session credentials"):
        program.sts("GetSessionToken")
    assert not authorize(root_of(acme), "iam:ListUsers", "*").statements
