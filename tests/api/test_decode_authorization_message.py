import json
from typing import Any
from urllib.parse import urlencode

import pytest

from audit.models import Event
from identities.models import Group, Role, User, UserInlinePolicy, UserTag
from policies.models import ManagedPolicy
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import allow, make_role, make_user, trusting

HEADER = "x-amzn-encoded-authorization-message"
DENY = {"Sid": "Never", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}


def refused(program: Program) -> str:
    answer = program.post("iam", "Action=ListUsers&Version=2010-05-08")
    assert answer.status_code == 403
    return str(answer.headers[HEADER])


def decode(program: Program, message: str) -> Any:
    return json.loads(program.sts("DecodeAuthorizationMessage", EncodedMessage=message)["DecodedMessage"])


def test_it_says_what_was_asked_and_what_denied_it(program_of: ProgramOf, alice: User, bob: User) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [DENY]})
    UserInlinePolicy.objects.create(user=bob, name="no", document=document)
    said = decode(program_of(alice), refused(program_of(bob)))
    assert (said["allowed"], said["explicitDeny"]) == (False, True)
    assert said["context"]["action"] == "iam:ListUsers"
    assert said["context"]["principal"] == {"id": bob.unique_id, "name": "bob", "arn": bob.arn}
    statement = said["matchedStatements"]["items"][0]
    assert (statement["statementId"], statement["effect"]) == ("Never", "DENY")
    assert statement["actions"] == {"items": [{"value": "iam:ListUsers"}]}
    keys = {item["key"] for item in said["context"]["conditions"]["items"]}
    assert "aws:SourceIp" in keys


def test_an_implicit_denial_matches_nothing(program_of: ProgramOf, alice: User, bob: User) -> None:
    said = decode(program_of(alice), refused(program_of(bob)))
    assert (said["explicitDeny"], said["matchedStatements"], said["failures"]) == (False, {"items": []}, {"items": []})


@pytest.mark.bar(68)
def test_it_quotes_no_policy_that_the_reader_may_not_read(program_of: ProgramOf, bob: User) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [DENY]})
    UserInlinePolicy.objects.create(user=bob, name="no", document=document)
    allow(bob, "sts:DecodeAuthorizationMessage")
    program = program_of(bob)
    assert "actions" not in decode(program, refused(program))["matchedStatements"]["items"][0]
    allow(bob, "iam:GetUserPolicy", name="read")
    assert "actions" in decode(program, refused(program))["matchedStatements"]["items"][0]


@pytest.mark.bar(68)
def test_tags_of_others_are_told_to_whoever_may_see_them(program_of: ProgramOf, bob: User) -> None:
    UserTag.objects.create(user=bob, key="team", value="scarlet")
    carol = make_user(bob.account, "carol")
    bobs, carols = program_of(bob), program_of(carol)
    message = refused(bobs)
    allow(carol, "sts:DecodeAuthorizationMessage")
    allow(bob, "sts:DecodeAuthorizationMessage")
    assert "scarlet" not in json.dumps(decode(carols, message))
    assert "scarlet" in json.dumps(decode(bobs, message))
    allow(carol, "iam:GetUser", name="see")
    assert "scarlet" in json.dumps(decode(carols, message))


def test_a_statement_of_a_trust_policy_is_quoted_as_one(program_of: ProgramOf, alice: User, bob: User) -> None:
    role = make_role(bob.account, "Worker", trusting(bob.arn, Sid="Never", Effect="Deny"))
    query = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role.arn, "RoleSessionName": "now"}
    answer = program_of(bob).post("sts", urlencode(query))
    statement = decode(program_of(alice), answer.headers[HEADER])["matchedStatements"]["items"][0]
    assert statement["statementId"] == "Never"
    assert statement["actions"] == {"items": [{"value": "sts:AssumeRole"}]}
    assert statement["principals"] == {"items": [{"value": bob.arn}]}


def test_a_text_that_has_changed_since_is_not_quoted(program_of: ProgramOf, alice: User, bob: User) -> None:
    role = make_role(bob.account, "Worker", trusting(bob.arn, Sid="Never", Effect="Deny"))
    query = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role.arn, "RoleSessionName": "now"}
    message = program_of(bob).post("sts", urlencode(query)).headers[HEADER]
    Role.objects.filter(pk=role.pk).update(document=trusting(bob.unique_id, Sid="Other", Effect="Deny"))
    (statement,) = decode(program_of(alice), message)["matchedStatements"]["items"]
    assert statement == {"statementId": "Never", "effect": "DENY"}


def test_every_policy_that_denied_is_quoted(program_of: ProgramOf, alice: User, bob: User) -> None:
    """However many they are, they are read in one query."""
    deny = {number: json.dumps({"Version": "2012-10-17", "Statement": [DENY | {"Sid": number}]}) for number in "1234"}
    group = Group.objects.create(account=bob.account, name="staff", unique_id="AGPASTAFF")
    bob.memberships.create(group=group, slot=1)
    bob.inline_policies.create(name="no", document=deny["1"])
    bob.inline_policies.create(name="never", document=deny["2"])
    group.inline_policies.create(name="no", document=deny["3"])
    policy = ManagedPolicy.objects.create(account=bob.account, name="no", unique_id="ANPANO", newest_version=1)
    policy.versions.create(number=1, slot=1, is_default=True, document=deny["4"])
    bob.attachments.create(policy=policy, slot=1)
    said = decode(program_of(alice), refused(program_of(bob)))
    quoted = {item["statementId"]: item["actions"]["items"] for item in said["matchedStatements"]["items"]}
    assert quoted == dict.fromkeys("1234", [{"value": "iam:ListUsers"}])


def test_it_requires_permission(program_of: ProgramOf, bob: User) -> None:
    program = program_of(bob)
    with pytest.raises(Refused, match="AccessDenied"):
        decode(program, refused(program))


@pytest.mark.bar(61)
@pytest.mark.parametrize("message", ["nonsense", "²", "x" * 10240])
def test_what_is_no_message_is_refused(program_of: ProgramOf, alice: User, message: str) -> None:
    with pytest.raises(Refused, match="InvalidAuthorizationMessageException"):
        decode(program_of(alice), message)


@pytest.mark.bar(61)
def test_another_accounts_message_is_none(program_of: ProgramOf, bob: User, mallory: User) -> None:
    with pytest.raises(Refused, match="InvalidAuthorizationMessageException"):
        decode(program_of(mallory), refused(program_of(bob)))


def test_a_message_is_short_and_says_nothing_by_itself(program_of: ProgramOf, bob: User) -> None:
    message = refused(program_of(bob))
    assert len(message) < 300
    assert Event.objects.get(outcome="Denied").explanation["outcome"] == "ImplicitlyDenied"


def test_the_sentence_of_the_refusal_stays_awss_own(program_of: ProgramOf, bob: User) -> None:
    with pytest.raises(Refused) as error:
        program_of(bob).iam("ListUsers")
    assert error.value.message.endswith("because no identity-based policy allows the iam:ListUsers action")


def test_a_change_by_program_names_the_statement_that_allowed_it(program_of: ProgramOf, alice: User) -> None:
    program_of(alice).iam("CreateGroup", GroupName="Lookers")
    explanation = Event.objects.get(action="iam:CreateGroup").explanation
    assert (explanation["outcome"], explanation["statements"][0]["lines"]) == ("Allowed", [4, 8])
    assert explanation["policies"][0]["source"] == "arn:aws:iam::aws:policy/AdministratorAccess"
