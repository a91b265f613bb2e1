"""Who may call at all: key, signature and token, as the server sees them."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from audit import clock
from identities.models import AccessKey, Lockdown, User, UserTag
from identities.models.credentials import KeyStatus
from identities.sealed import box
from tests.api.conftest import SECRET, ProgramOf, key_of
from tests.api.program import Program, Refused
from tests.cast import allow

INVALID = "The security token included in the request is invalid."


def refusal(program: Program) -> Refused:
    with pytest.raises(Refused) as refused:
        program.sts("GetCallerIdentity")
    return refused.value


def test_it_lets_a_signed_call_in(program_of: ProgramOf, alice: User) -> None:
    assert program_of(alice).sts("GetCallerIdentity")["Arn"] == alice.arn


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "aws-global", "nowhere"])
def test_it_takes_any_region(program_of: ProgramOf, alice: User, region: str) -> None:
    assert program_of(alice, region=region).iam("GetUser")["User"]["UserName"] == "alice"


@pytest.mark.bar(85)
def test_it_refuses_an_unknown_key(db: None) -> None:
    refused = refusal(Program("AKIAIOSFODNN7EXAMPLE", SECRET))
    assert (refused.status, refused.code, refused.message) == (403, "InvalidClientTokenId", INVALID)


@pytest.mark.bar(85)
def test_an_unknown_key_costs_the_database_as_much_as_a_wrong_secret(alice: User) -> None:
    asked = []
    for program in (Program("AKIAIOSFODNN7EXAMPLE", SECRET), Program(key_of(alice).access_key_id, "wrong")):
        with CaptureQueriesContext(connection) as queries:
            refusal(program)
        asked.append(len(queries))
    assert asked == [1, 1]


@pytest.mark.bar(81)
def test_it_refuses_a_wrong_secret(alice: User) -> None:
    refused = refusal(Program(key_of(alice).access_key_id, SECRET[:-1] + "Z"))
    assert (refused.status, refused.code) == (403, "SignatureDoesNotMatch")


@pytest.mark.bar(82)
def test_it_refuses_a_session_token_with_a_users_key(program_of: ProgramOf, alice: User) -> None:
    refused = refusal(program_of(alice, token="IQoJb3JpZ2luX2VjEXAMPLE"))
    assert (refused.status, refused.code, refused.message) == (403, "InvalidClientTokenId", INVALID)


@pytest.mark.bar(82)
def test_it_refuses_a_session_token_with_roots_key(program_of: ProgramOf, acme: Account) -> None:
    assert refusal(program_of(acme, token="IQoJb3JpZ2luX2VjEXAMPLE")).code == "InvalidClientTokenId"


@pytest.mark.bar(82)
@pytest.mark.parametrize("token", [None, "IQoJb3JpZ2luX2VjEXAMPLE"])
def test_it_refuses_a_temporary_key_that_nobody_made(db: None, token: str | None) -> None:
    assert refusal(Program("ASIAIOSFODNN7EXAMPLE", SECRET, token)).code == "InvalidClientTokenId"


@pytest.mark.bar(83)
def test_an_inactive_key_stops_at_the_next_call(alice: User) -> None:
    key = key_of(alice)
    program = Program(key.access_key_id, SECRET)
    assert program.sts("GetCallerIdentity")
    type(key).objects.filter(pk=key.pk).update(status=KeyStatus.INACTIVE)
    assert refusal(program).code == "InvalidClientTokenId"


@pytest.mark.bar(83)
def test_a_deleted_key_stops_at_the_next_call(alice: User) -> None:
    key = key_of(alice)
    program = Program(key.access_key_id, SECRET)
    assert program.sts("GetCallerIdentity")
    key.delete()
    assert refusal(program).code == "InvalidClientTokenId"


@pytest.mark.bar(83)
def test_the_key_of_a_deleted_user_stops_at_the_next_call(bob: User) -> None:
    program = Program(key_of(bob).access_key_id, SECRET)
    bob.delete()
    assert refusal(program).code == "InvalidClientTokenId"


@pytest.mark.bar(83)
def test_a_secret_counts_only_while_it_is_the_keys(alice: User) -> None:
    """Also after it opened lately, which is remembered."""
    key = key_of(alice)
    old, new = Program(key.access_key_id, SECRET), Program(key.access_key_id, SECRET[::-1])
    for now, before in ((old, new), (new, old), (old, new)):
        AccessKey.objects.update(secret_encrypted=box().seal(now.secret, key.sealed_row))
        for _ in range(2):
            assert refusal(before).code == "SignatureDoesNotMatch"
            assert now.sts("GetCallerIdentity")["Arn"] == alice.arn


@pytest.mark.bar(81)
def test_a_secret_that_opened_lately_opens_nothing_out_of_its_time(alice: User) -> None:
    program = Program(key_of(alice).access_key_id, SECRET)
    body = "Action=GetCallerIdentity&Version=2011-06-15"
    noon = clock.now().replace(hour=12)
    with time_machine.travel(noon, tick=False) as time:
        signed = program.signed("sts", body)
        assert [program.send(signed, body).status_code for _ in range(2)] == [200, 200]
        time.shift(timedelta(minutes=16))
        late = program.send(signed, body)
    assert late.status_code == 403 and b"Signature expired" in late.content


def test_what_is_changed_between_two_calls_counts_at_once(program_of: ProgramOf, bob: User, acme: Account) -> None:
    """What was made of a user for one call is used for the next only if nothing of it is another."""
    program = program_of(bob)
    tagged = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}}
    allow(bob, "iam:ListUsers", name="listing", **tagged)

    def lists() -> bool:
        try:
            return bool(program.iam("ListUsers"))
        except Refused as refused:
            assert (refused.status, refused.code) == (403, "AccessDenied")
            return False

    assert [lists(), lists()] == [False, False]
    tag = UserTag.objects.create(user=bob, key="team", value="red")
    assert [lists(), lists()] == [True, True]
    UserTag.objects.filter(pk=tag.pk).update(value="blue")
    assert [lists(), lists()] == [False, False]
    UserTag.objects.filter(pk=tag.pk).update(value="red")
    bob.inline_policies.filter(name="listing").delete()
    assert lists() is False
    allow(bob, "iam:ListUsers", name="others")
    assert lists() is True
    User.objects.filter(pk=bob.pk).update(path="/staff/")
    assert program.sts("GetCallerIdentity")["Arn"] == f"arn:aws:iam::{acme.id}:user/staff/bob"
    lockdown = Lockdown.objects.create(account=acme, unique_id=bob.unique_id, reason="leaked", locked_by="root")
    User.objects.filter(pk=bob.pk).update(lockdown=lockdown)
    assert refusal(program).code == "InvalidClientTokenId"


@pytest.mark.bar(81)
@pytest.mark.parametrize("minutes", [16, -16])
def test_it_refuses_a_call_signed_at_another_time(alice: User, minutes: int) -> None:
    program = Program(key_of(alice).access_key_id, SECRET)
    body = "Action=GetCallerIdentity&Version=2011-06-15"
    with time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False):
        late = program.signed("sts", body)
    response = program.send(late, body)
    assert response.status_code == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in response.content


def test_it_remembers_the_first_use_of_a_quarter_of_an_hour(alice: User) -> None:
    key = key_of(alice)
    program = Program(key.access_key_id, SECRET, region="eu-west-1")
    start = clock.now().replace(microsecond=0)
    for minutes, expected in ((0, 0), (14, 0), (15, 15)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            program.iam("GetUser")
        key.refresh_from_db()
        assert key.last_used_at == start + timedelta(minutes=expected)
    assert (key.last_used_service, key.last_used_region) == ("iam", "eu-west-1")


def test_a_refused_call_is_no_use_of_the_key(alice: User) -> None:
    key = key_of(alice)
    refusal(Program(key.access_key_id, "wrong"))
    key.refresh_from_db()
    assert key.last_used_at is None
