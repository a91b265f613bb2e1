"""AssumeRole over the wire: who gets in, for how long, and what the session is then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import Account
from audit.models import Event
from identities.models import Role, User
from identities.services import roles, users
from policies import services as policies
from tests.api.conftest import SECRET, ProgramOf, key_of
from tests.api.program import Program, Refused
from tests.cast import allow, make_role, root_of, trusting
from tests.identities.devices import codes, device_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIST_USERS = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}'
WITH_MFA: dict[str, Any] = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}


def assume(program: Program, role: Role | str, **inputs: Any) -> Any:
    arn = role if isinstance(role, str) else role.arn
    return program.sts("AssumeRole", **{"RoleArn": arn, "RoleSessionName": "ci", **inputs})


def program_with(made: Any) -> Program:
    found = made["Credentials"]
    return Program(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def taken(program: Program, role: Role, **inputs: Any) -> Program:
    return program_with(assume(program, role, **inputs))


def lifetime(made: Any) -> timedelta:
    expires_at: datetime = made["Credentials"]["Expiration"]
    return expires_at - NOW


def test_it_gives_credentials_that_work(deploy: Role, bobs: Program) -> None:
    made = assume(bobs, deploy)
    assert made["Credentials"]["AccessKeyId"].startswith("ASIA")
    arn = f"arn:aws:sts::{deploy.account_id}:assumed-role/deploy/ci"
    assert made["AssumedRoleUser"] == {"AssumedRoleId": f"{deploy.unique_id}:ci", "Arn": arn}
    session = program_with(made)
    identity = session.sts("GetCallerIdentity")
    assert (identity["Arn"], identity["UserId"]) == (arn, f"{deploy.unique_id}:ci")
    assert session.iam("ListUsers")["Users"]
    with pytest.raises(Refused, match="AccessDenied"):
        session.iam("CreateUser", UserName="eve")


def test_it_records_who_took_on_what_and_nothing_secret(deploy: Role, bobs: Program, bob: User) -> None:
    made = assume(bobs, deploy)
    event = Event.objects.get(action="sts:AssumeRole")
    assert (event.principal_arn, event.resource) == (bob.arn, deploy.arn)
    assert event.detail["made_key"] == made["Credentials"]["AccessKeyId"]
    assert made["Credentials"]["SecretAccessKey"] not in str(event.__dict__)
    program_with(made).iam("ListUsers")


def test_the_role_remembers_that_it_was_used(deploy: Role, bobs: Program) -> None:
    session = taken(bobs, deploy)
    assert not Role.objects.filter(last_used_at__isnull=False)
    session.iam("ListUsers")
    assert Role.objects.get(last_used_at__isnull=False).last_used_region == "us-east-1"


@pytest.mark.bar(91)
def test_a_role_that_trusts_the_account_needs_a_policy_of_the_caller_too(
    acme: Account, bob: User, bobs: Program
) -> None:
    role = make_role(acme, "deploy")
    with pytest.raises(Refused, match="because no identity-based policy allows the sts:AssumeRole action"):
        assume(bobs, role)
    allow(bob, "sts:AssumeRole", role.arn)
    assume(bobs, role)


@pytest.mark.bar(91)
def test_across_accounts_both_sides_must_allow(
    acme: Account, globex: Account, bob: User, mallory: User, bobs: Program, program_of: ProgramOf
) -> None:
    theirs = make_role(globex, "theirs", trusting(bob.arn))
    with pytest.raises(Refused, match="AccessDenied"):
        assume(bobs, theirs)
    allow(bob, "sts:AssumeRole", theirs.arn)
    assert taken(bobs, theirs).sts("GetCallerIdentity")["Account"] == globex.id
    assert Event.objects.filter(action="sts:AssumeRole", account_id__in=[acme.id, globex.id]).count() == 3
    with pytest.raises(Refused, match="AccessDenied"):
        assume(program_of(mallory), make_role(acme, "ours"))


def test_a_deny_of_the_callers_own_ends_it(deploy: Role, bob: User, bobs: Program) -> None:
    allow(bob, "sts:AssumeRole", deploy.arn, Effect="Deny")
    with pytest.raises(Refused, match="with an explicit deny in an identity-based policy"):
        assume(bobs, deploy)


@pytest.mark.bar(61)
def test_a_role_that_is_not_there_looks_like_one_that_does_not_let_one_in(
    acme: Account, bob: User, bobs: Program
) -> None:
    closed = make_role(acme, "closed", trusting(make_role(acme, "other").arn))
    allow(bob, "sts:AssumeRole")
    said = []
    for name in ("closed", "absent"):
        with pytest.raises(Refused) as refused:
            assume(bobs, closed.arn.replace("closed", name))
        said.append((refused.value.status, refused.value.code, refused.value.message.replace(name, "…")))
    assert said[0] == said[1]
    assert said[0][2].endswith("because no role trust policy allows the sts:AssumeRole action")


def test_who_may_read_the_role_learns_which_statement_failed(acme: Account, bob: User, bobs: Program) -> None:
    wants: dict[str, Any] = {"Condition": {"StringEquals": {"sts:ExternalId": "blue-7"}}}
    role = make_role(acme, "partner", trusting(bob.arn, **wants))
    with pytest.raises(Refused) as refused:
        assume(bobs, role, ExternalId="red-1")
    assert "blue-7" not in refused.value.message
    allow(bob, "iam:GetRole")
    with pytest.raises(Refused) as refused:
        assume(bobs, role, ExternalId="red-1")
    assert refused.value.message.endswith(
        "Statement 1 of the trust policy wants StringEquals sts:ExternalId blue-7; the request has red-1."
    )


@pytest.mark.bar(91)
@pytest.mark.parametrize("given", [{}, {"ExternalId": "Blue-7"}, {"ExternalId": "blue-70"}])
def test_the_external_id_is_compared_exactly_and_a_missing_one_fails(
    acme: Account, bob: User, bobs: Program, given: dict[str, str]
) -> None:
    wants: dict[str, Any] = {"Condition": {"StringEquals": {"sts:ExternalId": "blue-7"}}}
    role = make_role(acme, "partner", trusting(bob.arn, **wants))
    with pytest.raises(Refused, match="AccessDenied"):
        assume(bobs, role, **given)
    assume(bobs, role, ExternalId="blue-7")


@pytest.mark.bar(77)
def test_root_assumes_no_role(acme: Account, program_of: ProgramOf) -> None:
    with pytest.raises(Refused) as refused:
        assume(program_of(acme), make_role(acme, "deploy"))
    assert (refused.value.code, refused.value.message) == (
        "AccessDenied",
        "Roles may not be assumed by root accounts.",
    )


@pytest.mark.bar(87)
@pytest.mark.parametrize(
    ("asked", "given"), [({}, 3600), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 7200}, 7200)]
)
def test_it_lasts_as_long_as_was_asked(deploy: Role, bobs: Program, asked: dict[str, int], given: int) -> None:
    with time_machine.travel(NOW, tick=False):
        assert lifetime(assume(bobs, deploy, **asked)) == timedelta(seconds=given)


@pytest.mark.bar(87)
@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (7201, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
        (899, "greater than or equal to 900"),
        (43201, "less than or equal to 43200"),
    ],
)
def test_longer_than_allowed_is_an_error_not_a_cut(deploy: Role, bobs: Program, seconds: int, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        assume(bobs, deploy, DurationSeconds=seconds)
    assert refused.value.code == "ValidationError"


def test_a_session_ends_when_its_time_is_over(deploy: Role, bobs: Program) -> None:
    with time_machine.travel(NOW, tick=False):
        session = taken(bobs, deploy, DurationSeconds=900)
        session.iam("ListUsers")
    with time_machine.travel(NOW + timedelta(seconds=900), tick=False), pytest.raises(Refused) as refused:
        session.iam("ListUsers")
    assert (refused.value.status, refused.value.code) == (403, "ExpiredToken")


@pytest.mark.bar(90)
def test_a_role_made_anew_is_another_role_to_old_sessions(
    acme: Account, deploy: Role, bob: User, bobs: Program
) -> None:
    session = taken(bobs, deploy)
    roles.delete_role_with_everything(by=root_of(acme), role=deploy)
    make_role(acme, "deploy", trusting(bob.arn), path="/ci/")
    with pytest.raises(Refused) as refused:
        session.sts("GetCallerIdentity")
    assert (refused.value.status, refused.value.code) == (403, "InvalidClientTokenId")


@pytest.mark.bar(90)
def test_a_user_made_anew_is_not_let_in_any_more(acme: Account, deploy: Role, bob: User) -> None:
    users.delete_user_with_everything(by=root_of(acme), user=bob)
    again = users.create_user(by=root_of(acme), name="bob")
    assert again.arn == bob.arn
    with pytest.raises(Refused, match="AccessDenied"):
        assume(Program(key_of(again).access_key_id, SECRET), deploy)


@pytest.mark.bar(89)
def test_a_token_is_needed_and_belongs_to_its_key(deploy: Role, bobs: Program) -> None:
    first, second = taken(bobs, deploy), taken(bobs, deploy)
    for wrong in (
        Program(first.access_key_id, first.secret),
        Program(first.access_key_id, first.secret, second.token),
        Program(first.access_key_id, second.secret, first.token),
        Program(bobs.access_key_id, bobs.secret, first.token),
    ):
        with pytest.raises(Refused) as refused:
            wrong.sts("GetCallerIdentity")
        assert refused.value.code in ("InvalidClientTokenId", "SignatureDoesNotMatch")


@pytest.mark.bar(88)
def test_a_session_policy_limits_it(acme: Account, deploy: Role, bobs: Program) -> None:
    made = assume(bobs, deploy, Policy=LIST_USERS)
    assert 0 < made["PackedPolicySize"] < 10
    session = program_with(made)
    session.iam("ListUsers")
    with pytest.raises(Refused, match="because no session policy allows the iam:ListGroups action"):
        session.iam("ListGroups")


@pytest.mark.bar(88)
@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"Policy": '{"Version":"2012-10-17","Statement":[]}'}, "MalformedPolicyDocument"),
        ({"Policy": LIST_USERS + " " * 2048}, "ValidationError"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::111122223333:policy/absent"}]}, "MalformedPolicyDocument"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}] * 11}, "ValidationError"),
        ({"Policy": ""}, "ValidationError"),
    ],
)
def test_a_session_policy_that_is_wrong_is_an_error(
    deploy: Role, bobs: Program, inputs: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        assume(bobs, deploy, **inputs)
    assert refused.value.code == code


@pytest.mark.bar(34)
def test_a_role_may_ask_for_a_second_factor_that_works_once(acme: Account, bob: User, bobs: Program) -> None:
    role, (device, seed) = make_role(acme, "careful", trusting(bob.arn, **WITH_MFA)), device_of(bob)
    with pytest.raises(Refused, match="AccessDenied"):
        assume(bobs, role)
    proof = {"SerialNumber": device.serial_number, "TokenCode": codes(seed)[1]}
    session = taken(bobs, role, **proof)
    allow(role, "iam:ListUsers", **WITH_MFA)
    with pytest.raises(Refused, match="AccessDenied"):
        session.iam("ListUsers")
    with pytest.raises(Refused, match="invalid MFA one time pass code"):
        assume(bobs, role, **proof)


def test_a_second_factor_counts_in_another_account_too(globex: Account, bob: User, bobs: Program) -> None:
    """Both accounts are told, with no more questions than one."""
    role, (device, seed) = make_role(globex, "careful", trusting(bob.arn, **WITH_MFA)), device_of(bob)
    allow(bob, "sts:AssumeRole")
    taken(bobs, role, SerialNumber=device.serial_number, TokenCode=codes(seed)[1])
    told = Event.objects.filter(action="sts:AssumeRole", outcome="Success")
    assert set(told.values_list("account_id", "principal_arn")) == {(bob.account_id, bob.arn), (globex.id, bob.arn)}


@pytest.mark.bar(11)
def test_codes_are_limited(acme: Account, bob: User, bobs: Program) -> None:
    role, (device, seed) = make_role(acme, "careful", trusting(bob.arn, **WITH_MFA)), device_of(bob)
    right = codes(seed)[1]
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        with pytest.raises(Refused, match="AccessDenied"):
            assume(bobs, role, SerialNumber=device.serial_number, TokenCode=wrong)
    with pytest.raises(Refused) as refused:
        assume(bobs, role, SerialNumber=device.serial_number, TokenCode=right)
    assert refused.value.code == "Throttling"


@pytest.mark.bar(31)
def test_only_a_device_of_ones_own_counts(acme: Account, alice: User, bob: User, bobs: Program) -> None:
    role, (device, seed) = make_role(acme, "careful", trusting(bob.arn, **WITH_MFA)), device_of(alice)
    with pytest.raises(Refused, match="verify your MFA serial number is valid"):
        assume(bobs, role, SerialNumber=device.serial_number, TokenCode=codes(seed)[1])
    with pytest.raises(Refused, match="must provide both"):
        assume(bobs, role, SerialNumber=device.serial_number)


@pytest.mark.bar(90)
def test_the_trust_of_a_role_counts_for_the_next_session_only(acme: Account, deploy: Role, bobs: Program) -> None:
    session = taken(bobs, deploy)
    roles.update_assume_role_policy(by=root_of(acme), role=deploy, document=trusting(acme.root_arn))
    session.iam("ListUsers")
    with pytest.raises(Refused, match="AccessDenied"):
        assume(bobs, deploy)


def test_what_a_role_session_cannot_call(deploy: Role, bobs: Program) -> None:
    allow(deploy, "*")
    session = taken(bobs, deploy)
    for name, inputs in (("GetSessionToken", {}), ("GetFederationToken", {"Name": "ann"})):
        with pytest.raises(Refused, match=f"Cannot call {name} with session credentials") as refused:
            session.sts(name, **inputs)
        assert refused.value.code == "AccessDenied"


@pytest.mark.parametrize("arn", ["arn:aws:iam::111122223333:user/bob", "x" * 20, "arn:aws:iam::1:role/a123456"])
def test_what_is_no_role_is_refused(bobs: Program, arn: str) -> None:
    with pytest.raises(Refused, match="is invalid"):
        assume(bobs, arn)


def test_a_session_acts_on_itself_only_by_name(deploy: Role, bobs: Program) -> None:
    with pytest.raises(Refused, match="Must specify userName when calling with non-User credentials"):
        taken(bobs, deploy).iam("GetUser")


def test_it_uses_few_queries(deploy: Role, bobs: Program, django_assert_max_num_queries: Any) -> None:
    session = taken(bobs, deploy)
    session.iam("GetUser", UserName="bob")
    with django_assert_max_num_queries(6):
        session.iam("GetUser", UserName="bob")


def test_policies_by_arn_limit_it_too(deploy: Role, bobs: Program) -> None:
    arns = [{"arn": "arn:aws:iam::aws:policy/IAMUserChangePassword"}]
    with pytest.raises(Refused, match="because no session policy allows"):
        taken(bobs, deploy, PolicyArns=arns).iam("ListUsers")


def test_policies_of_the_roles_own_account_limit_it_beside_a_code(globex: Account, bob: User, bobs: Program) -> None:
    """Found by ARN together with the role, and not by a name that is another's; with all that can be asked for, no more
    questions than without."""
    role, (device, seed) = make_role(globex, "careful", trusting(bob.arn, **WITH_MFA)), device_of(bob)
    allow(bob, "sts:AssumeRole")
    allow(role, "iam:List*")
    roles.tag_role(by=root_of(globex), role=role, tags={"team": "ops"})
    document = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}}'
    made = policies.create_policy(by=root_of(globex), name="ReadOnlyAccess", document=document)
    arns = [{"arn": made.arn}, {"arn": "arn:aws:iam::aws:policy/IAMUserChangePassword"}]
    session = taken(bobs, role, SerialNumber=device.serial_number, TokenCode=codes(seed)[1], PolicyArns=arns)
    assert "Roles" in session.iam("ListRoles")
    with pytest.raises(Refused, match="because no session policy allows"):
        session.iam("ListUsers")


@pytest.mark.parametrize("arn", ["arn:aws:iam::aws:policy/readonlyaccess", "arn:aws:iam::aws:policy/x/ReadOnlyAccess"])
def test_a_policy_by_another_spelling_of_its_arn_is_none(arn: str, deploy: Role, bobs: Program) -> None:
    with pytest.raises(Refused, match="does not exist or is not attachable"):
        assume(bobs, deploy, PolicyArns=[{"arn": arn}])
