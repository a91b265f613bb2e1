"""The simulator's pages: a matrix of decisions, each cell with its explanation."""

import json
from typing import Any

import pytest
from django.urls import reverse

from audit.models import Event
from identities.models import Group, GroupInlinePolicy, Role, RoleInlinePolicy, User, UserTag
from tests.cast import allow, browser_of, make_user

PRINCIPAL, CUSTOM = reverse("access:simulate-principal-policy"), reverse("access:simulate-custom-policy")
ASKED = {"actions": "iam:GetUser\niam:DeleteUser", "resources": ""}


def ask(who: User, page: str = PRINCIPAL, **data: str) -> Any:
    return browser_of(who).post(page, {**ASKED, **data})


def decisions(reply: Any) -> dict[str, list[str]]:
    return {action: [cell.label for cell in cells] for action, cells in reply.context.get("rows", ())}


def policy(effect: str = "Allow", action: str = "s3:*", resource: str = "*", **more: Any) -> str:
    body = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [body]}, indent=2)


def test_it_decides_for_somebody(alice: User, bob: User) -> None:
    allow(bob, "iam:GetUser")
    found = {"iam:GetUser": ["Allowed"], "iam:DeleteUser": ["Not allowed"]}
    assert decisions(ask(alice, principal="bob")) == decisions(ask(alice, principal=bob.arn)) == found


def test_it_decides_for_groups_and_roles_too(alice: User) -> None:
    group = Group.objects.create(account=alice.account, name="Helpers", unique_id="AGPAHELPERS")
    GroupInlinePolicy.objects.create(group=group, name="get", document=policy(action="iam:Get*"))
    role = Role.objects.create(account=alice.account, name="deploy", unique_id="AROADEPLOYDEPLOYDEPLO", document="{}")
    RoleInlinePolicy.objects.create(role=role, name="get", document=policy(action="iam:Get*"))
    for arn in (group.arn, role.arn):
        assert decisions(ask(alice, principal=arn))["iam:GetUser"] == ["Allowed"]


def test_a_link_carries_the_question(alice: User, bob: User) -> None:
    reply = browser_of(alice).get(PRINCIPAL, {"principal": bob.arn, "actions": "iam:GetUser"})
    assert decisions(reply) == {"iam:GetUser": ["Not allowed"]}
    assert browser_of(alice).get(PRINCIPAL, {"principal": bob.arn}).context["form"].initial["principal"] == bob.arn


def test_patterns_are_looked_up(alice: User) -> None:
    found = decisions(ask(alice, principal="alice", actions="sts:Get*Identity"))
    assert found == {"sts:GetCallerIdentity": ["Allowed"]}


def test_it_asks_for_the_keys_that_the_policies_mention(alice: User, bob: User) -> None:
    allow(bob, "iam:GetUser", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    without = ask(alice, principal="bob")
    assert [key.name for key in without.context["keys"]] == ["aws:SourceIp"]
    assert decisions(without)["iam:GetUser"] == ["Not allowed"]
    given = ask(alice, principal="bob", **{"value:aws:SourceIp": "192.0.2.7"})
    assert decisions(given)["iam:GetUser"] == ["Allowed"]
    assert given.context["keys"][0].value == "192.0.2.7"


def test_a_cell_opens_its_explanation(alice: User, bob: User) -> None:
    allow(bob, "iam:GetUser", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    shown = ask(alice, principal="bob", cell="0.0").content.decode()
    assert "Would allow it" in shown and "192.0.2.0/24" in shown and "aws:SourceIp" in shown


def test_htmx_gets_the_part_that_it_asked_for(alice: User, bob: User) -> None:
    data = {**ASKED, "principal": "bob"}
    headers = {"HX-Request": "true"}
    results = browser_of(alice).post(PRINCIPAL, data, headers=headers).content.decode()
    cell = browser_of(alice).post(PRINCIPAL, {**data, "cell": "1.0"}, headers=headers).content.decode()
    assert "<html" not in results and "Decisions" in results
    assert "Decisions" not in cell and "iam:DeleteUser" in cell


@pytest.mark.bar(68)
def test_it_quotes_no_policy_that_the_reader_may_not_read(bob: User) -> None:
    carol = make_user(bob.account, "carol")
    allow(carol, "iam:GetUser", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    allow(bob, "iam:SimulatePrincipalPolicy")
    shown = ask(bob, principal="carol", cell="0.0").content.decode()
    assert "192.0.2.0/24" not in shown and "1 more statement in policies that you may not read" in " ".join(
        shown.split()
    )


@pytest.mark.bar(68)
@pytest.mark.parametrize("may_see", [False, True])
def test_tags_count_only_for_whoever_may_see_them(bob: User, may_see: bool) -> None:
    """A limit that is brought along could ask for one value after the other."""
    carol = make_user(bob.account, "carol")
    UserTag.objects.create(user=carol, key="team", value="red")
    allow(carol, "iam:GetUser")
    allow(bob, ["iam:SimulatePrincipalPolicy", *(["iam:GetUser"] if may_see else [])])
    limit = policy(action="*", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    reply = ask(bob, principal="carol", actions="iam:GetUser", boundary=limit)
    assert decisions(reply) == {"iam:GetUser": ["Allowed" if may_see else "Not allowed"]}
    assert [key.name for key in reply.context["keys"]] == ([] if may_see else ["aws:PrincipalTag/team"])


@pytest.mark.bar(59, 127)
def test_permission_is_asked_on_the_principal_before_it_is_looked_for(bob: User) -> None:
    carol = make_user(bob.account, "carol")
    allow(bob, "iam:SimulatePrincipalPolicy", bob.arn)
    assert decisions(ask(bob, principal="bob"))
    for name in (carol.arn, "carol", "nobody"):
        assert ask(bob, principal=name).status_code == 403
    assert browser_of(bob).get(CUSTOM).status_code == 403


@pytest.mark.bar(61)
def test_it_hides_other_accounts(mallory: User, bob: User) -> None:
    assert "cannot be found" in ask(mallory, principal="bob").content.decode()
    assert ask(mallory, principal=bob.arn).status_code == 403


def test_documents_can_be_brought(alice: User) -> None:
    documents = policy() + "\n---\n" + policy("Deny", "s3:GetObject", "arn:aws:s3:::secret/*")
    reply = ask(
        alice,
        CUSTOM,
        documents=documents,
        actions="s3:GetObject",
        resources="arn:aws:s3:::secret/1\narn:aws:s3:::open/1",
        cell="0.0",
    )
    assert decisions(reply) == {"s3:GetObject": ["Denied", "Allowed"]}
    assert "document 2" in reply.content.decode() and "arn:aws:s3:::secret/*" in reply.content.decode()


@pytest.mark.parametrize("limit", ["boundary", "session"])
def test_limits_can_be_brought(alice: User, limit: str) -> None:
    data = {"documents": policy(), "actions": "s3:GetObject\ns3:PutObject", limit: policy(action="s3:Get*")}
    assert decisions(ask(alice, CUSTOM, **data)) == {"s3:GetObject": ["Allowed"], "s3:PutObject": ["Not allowed"]}


def test_a_resources_policy_can_be_brought(alice: User) -> None:
    bucket = policy("Deny", "s3:GetObject", "arn:aws:s3:::a/*", Principal="*")
    data = {
        "documents": policy(),
        "actions": "s3:GetObject",
        "resources": "arn:aws:s3:::a/1",
        "resource_policy": bucket,
    }
    assert decisions(ask(alice, CUSTOM, **data)) == {"s3:GetObject": ["Denied"]}


@pytest.mark.parametrize(
    ("page", "data", "said"),
    [
        (PRINCIPAL, {"principal": "nobody"}, "The user with name nobody cannot be found."),
        (PRINCIPAL, {"principal": "arn:aws:s3:::x"}, "is not the ARN of a user, group or role"),
        (PRINCIPAL, {"principal": "bob", "actions": "read everything"}, "is no action"),
        (PRINCIPAL, {"principal": "bob", "actions": "iam:Nothing*"}, "The catalogue knows no action"),
        (PRINCIPAL, {"principal": "bob", "actions": "ec2:*"}, "at most 60 are simulated at once"),
        (PRINCIPAL, {"principal": "bob", "resources": "bucket"}, "is neither an ARN nor *."),
        (PRINCIPAL, {"principal": "bob", "context": "team"}, "is not of the form key = value"),
        (PRINCIPAL, {"principal": "bob", "context": "aws:UserAgent=" + "x" * 2049}, "has more than 2048 characters"),
        (PRINCIPAL, {"principal": "bob", "value:aws:UserAgent": "x" * 2049}, "of more than 2048 characters"),
        (CUSTOM, {"documents": "{"}, "document 1 can&#x27;t be read, line 1"),
        (CUSTOM, {"documents": "{}", "caller": "bob"}, "can&#x27;t be read"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    alice: User, bob: User, page: str, data: dict[str, str], said: str
) -> None:
    text = ask(alice, page, **data).content.decode()
    assert said in text
    assert data.get("actions", "iam:GetUser") in text


@pytest.mark.bar(68)
def test_nothing_is_recorded_and_nothing_done(alice: User, bob: User) -> None:
    ask(alice, principal="bob", actions="iam:DeleteUser", resources=bob.arn)
    assert not Event.objects.exists() and User.objects.filter(pk=bob.pk).exists()


def test_actions_are_found_by_words(bob: User) -> None:
    page = reverse("policies:search-actions")
    assert "s3:ListBucket" in browser_of(bob).get(page, {"find": "list bucket"}).content.decode()
    assert "No action fits" in browser_of(bob).get(page, {"find": "qqqq"}).content.decode()


@pytest.mark.bar(68)
def test_the_trust_policy_of_a_role_has_a_say_for_who_may_read_it(alice: User, bob: User) -> None:
    trust = policy(action="sts:AssumeRole", Principal={"AWS": alice.arn})
    body = json.loads(trust)
    del body["Statement"][0]["Resource"]
    role = Role.objects.create(
        account=bob.account, name="deploy", unique_id="AROADEPLOYDEPLOYDEPLO", document=json.dumps(body)
    )
    allow(bob, ["sts:AssumeRole", "iam:SimulatePrincipalPolicy"])
    asked = {"actions": "sts:AssumeRole", "resources": role.arn}
    assert decisions(ask(alice, principal="alice", **asked)) == {"sts:AssumeRole": ["Allowed"]}
    assert decisions(ask(alice, principal="bob", **asked)) == {"sts:AssumeRole": ["Not allowed"]}
    blind = ask(bob, principal="bob", **asked)
    assert decisions(blind) == {"sts:AssumeRole": ["Allowed"]}
    assert "is not asked: you may not read it" in blind.content.decode()
