"""iam:SimulatePrincipalPolicy, SimulateCustomPolicy and GetContextKeysFor…, over the wire."""

import json
from typing import Any

import pytest

from accounts.models import PasswordPolicy
from identities.models import (
    Group,
    GroupAttachment,
    GroupInlinePolicy,
    Membership,
    Role,
    RoleInlinePolicy,
    User,
    UserInlinePolicy,
    UserTag,
)
from policies.models import ManagedPolicy
from tests.api.conftest import ProgramOf
from tests.api.program import Program, Refused
from tests.cast import ACME, GLOBEX, allow, make_user

BUCKET = "arn:aws:s3:::reports"


def text(effect: str, action: str, resource: str = "*", **more: object) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}],
        },
        indent=2,
    )


ALLOW = text("Allow", "s3:Get*")
DENY = text("Deny", "s3:GetObject", "arn:aws:s3:::reports/secret/*")


@pytest.fixture
def program(program_of: ProgramOf, alice: User) -> Program:
    return program_of(alice)


def simulate(program: Program, user: User | Role | Group, *actions: str, **more: Any) -> list[dict[str, Any]]:
    said = program.iam("SimulatePrincipalPolicy", PolicySourceArn=user.arn, ActionNames=list(actions), **more)
    return list(said["EvaluationResults"])


def custom(program: Program, *policies: str, actions: tuple[str, ...] = ("s3:GetObject",), **more: Any) -> Any:
    return program.iam("SimulateCustomPolicy", PolicyInputList=list(policies), ActionNames=list(actions), **more)[
        "EvaluationResults"
    ]


def test_it_decides_as_the_gate_would(program: Program, bob: User) -> None:
    allow(bob, "iam:GetUser", bob.arn)
    group = Group.objects.create(account=bob.account, name="Helpers", unique_id="AGPAHELPERS")
    Membership.objects.create(user=bob, group=group, slot=1)
    GroupInlinePolicy.objects.create(group=group, name="lists", document=text("Allow", "iam:ListUsers"))
    results = simulate(program, bob, "iam:GetUser", "iam:ListUsers", "iam:DeleteUser", ResourceArns=[bob.arn])
    assert [each["EvalDecision"] for each in results] == ["allowed", "allowed", "implicitDeny"]
    assert results[0]["MatchedStatements"][0]["SourcePolicyId"] == "user_bob_allowed"
    assert results[1]["MatchedStatements"][0]["SourcePolicyType"] == "group"
    assert results[2]["MatchedStatements"] == []


@pytest.mark.parametrize(("allowed", "decision"), [(True, "allowed"), (False, "implicitDeny")])
def test_the_password_policy_lets_users_change_their_own(
    program: Program, bob: User, allowed: bool, decision: str
) -> None:
    PasswordPolicy.objects.create(account=bob.account, allow_users_to_change_password=allowed)
    (result,) = simulate(program, bob, "iam:ChangePassword", ResourceArns=[bob.arn])
    assert result["EvalDecision"] == decision


def test_without_a_password_policy_users_do_not_change_their_own(program: Program, bob: User) -> None:
    (result,) = simulate(program, bob, "iam:ChangePassword", ResourceArns=[bob.arn])
    assert result["EvalDecision"] == "implicitDeny"


def test_statements_stand_where_aws_says_they_stand(program: Program, bob: User) -> None:
    """The line and column after the bracket or comma before a statement, and after its closing brace."""
    statement = custom(program, ALLOW)[0]["MatchedStatements"][0]
    assert ALLOW.splitlines()[2] == '  "Statement": ['
    assert statement == {
        "SourcePolicyId": "PolicyInputList.1",
        "SourcePolicyType": "none",
        "StartPosition": {"Line": 3, "Column": 17},
        "EndPosition": {"Line": 8, "Column": 6},
    }


def test_managed_policies_are_named_by_type(program: Program, alice: User, readers: ManagedPolicy) -> None:
    GroupAttachment.objects.create(
        group=(group := Group.objects.create(account=alice.account, name="Readers", unique_id="AGPAREADERS")),
        policy=readers,
        slot=1,
    )
    ours = simulate(program, group, "iam:GetUser")[0]["MatchedStatements"]
    theirs = simulate(program, alice, "iam:GetUser")[0]["MatchedStatements"]
    assert [(each["SourcePolicyId"], each["SourcePolicyType"]) for each in ours] == [("readers", "user-managed")]
    assert (theirs[0]["SourcePolicyId"], theirs[0]["SourcePolicyType"]) == ("AdministratorAccess", "aws-managed")


def test_a_deny_stands_alone(program: Program) -> None:
    secret, other = custom(program, ALLOW, DENY, ResourceArns=[f"{BUCKET}/secret/1", f"{BUCKET}/open"])
    assert (secret["EvalDecision"], other["EvalDecision"]) == ("explicitDeny", "allowed")
    assert [each["SourcePolicyId"] for each in secret["MatchedStatements"]] == ["PolicyInputList.2"]
    assert secret["ResourceSpecificResults"][0]["EvalResourceDecision"] == "explicitDeny"
    assert secret["EvalResourceName"] == f"{BUCKET}/secret/1"


def test_without_resources_it_is_about_all_of_them(program: Program) -> None:
    result = custom(program, ALLOW)[0]
    assert result["EvalResourceName"] == "*" and "ResourceSpecificResults" not in result


def test_a_boundary_given_takes_the_place_of_the_users_own(program: Program, bob: User) -> None:
    allow(bob, "s3:*")
    own = ManagedPolicy.objects.get(account=None, name="IAMReadOnlyAccess")
    User.objects.filter(pk=bob.pk).update(boundary=own)
    limited = simulate(program, bob, "s3:GetObject")[0]
    given = simulate(program, bob, "s3:GetObject", PermissionsBoundaryPolicyInputList=[ALLOW])[0]
    assert limited["EvalDecision"] == "implicitDeny"
    assert limited["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    assert given["EvalDecision"] == "allowed"
    assert given["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}


def test_it_says_which_context_keys_are_missing(program: Program, bob: User) -> None:
    condition = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "StringEquals": {"aws:PrincipalTag/team": "red"}}
    allow(bob, "s3:GetObject", f"{BUCKET}/${{aws:username}}/${{aws:FederatedProvider}}", Condition=condition)
    UserTag.objects.create(user=bob, key="team", value="red")
    result = simulate(program, bob, "s3:GetObject")[0]
    assert result["MissingContextValues"] == ["aws:FederatedProvider", "aws:SourceIp"]
    keys = program.iam("GetContextKeysForPrincipalPolicy", PolicySourceArn=bob.arn)["ContextKeyNames"]
    assert keys == ["aws:FederatedProvider", "aws:PrincipalTag/team", "aws:SourceIp", "aws:username"]


def test_context_entries_are_given_by_type(program: Program) -> None:
    document = text("Allow", "s3:GetObject", Condition={"NumericLessThan": {"s3:max-keys": "10"}})
    few = {"ContextKeyName": "s3:max-keys", "ContextKeyValues": ["5"], "ContextKeyType": "numeric"}
    assert custom(program, document, ContextEntries=[few])[0]["EvalDecision"] == "allowed"
    assert custom(program, document)[0]["MissingContextValues"] == ["s3:max-keys"]


@pytest.mark.parametrize(
    "entry",
    [
        {"ContextKeyName": "s3:max-keys", "ContextKeyValues": ["many"], "ContextKeyType": "numeric"},
        {"ContextKeyName": "s3:max-keys", "ContextKeyValues": ["1", "2"], "ContextKeyType": "numeric"},
        {"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["here"], "ContextKeyType": "ipList"},
        {"ContextKeyName": "aws:CurrentTime", "ContextKeyValues": ["now"], "ContextKeyType": "date"},
        {"ContextKeyName": "aws:UserAgent", "ContextKeyValues": ["x" * 2049], "ContextKeyType": "stringList"},
    ],
)
def test_values_of_another_type_or_too_long_are_refused(program: Program, entry: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="InvalidInput"):
        custom(program, ALLOW, ContextEntries=[entry])


def test_a_resource_policy_of_another_account_has_to_allow_too(program: Program, bob: User) -> None:
    allow(bob, "s3:GetObject")
    policy = text("Allow", "s3:GetObject", f"{BUCKET}/*", Principal={"AWS": bob.arn})
    owner = f"arn:aws:iam::{GLOBEX}:root"
    asked: dict[str, Any] = {"ResourceArns": [f"{BUCKET}/a"], "ResourceOwner": owner}
    alone = simulate(program, bob, "s3:GetObject", **asked)[0]
    both = simulate(program, bob, "s3:GetObject", ResourcePolicy=policy, **asked)[0]
    assert (alone["EvalDecision"], both["EvalDecision"]) == ("implicitDeny", "allowed")
    assert both["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "allowed"}


def test_a_trust_policy_decides_who_may_assume_a_role(program: Program, bob: User) -> None:
    allow(bob, "sts:AssumeRole")
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sts:AssumeRole"}]}'
    )
    role = f"arn:aws:iam::{ACME}:role/deploy"

    def decided(trusted: str) -> str:
        return str(
            simulate(program, bob, "sts:AssumeRole", ResourceArns=[role], ResourcePolicy=trust % trusted)[0][
                "EvalDecision"
            ]
        )

    assert decided(bob.arn) == "allowed"
    assert decided(f"arn:aws:iam::{ACME}:user/carol") == "implicitDeny"


def test_a_roles_policies_are_simulated_for_a_session_of_it(program: Program, bob: User) -> None:
    role = Role.objects.create(account=bob.account, name="deploy", unique_id="AROADEPLOYDEPLOYDEPLO", document="{}")
    condition = {"ArnEquals": {"aws:PrincipalArn": role.arn}}
    RoleInlinePolicy.objects.create(role=role, name="put", document=text("Allow", "s3:PutObject", Condition=condition))
    result = simulate(program, role, "s3:PutObject")[0]
    assert result["EvalDecision"] == "allowed"
    assert result["MatchedStatements"][0]["SourcePolicyId"] == "role_deploy_put"
    with pytest.raises(Refused, match="isn't supported for IAM roles"):
        simulate(program, role, "s3:PutObject", ResourcePolicy=ALLOW)


def test_levels_of_the_organization_all_have_to_allow(program: Program) -> None:
    levels = [{"ServiceControlPolicyInputList": [text("Allow", "*")]}, {"ServiceControlPolicyInputList": [DENY]}]
    first, both = (
        custom(program, ALLOW, ResourceArns=[BUCKET], OrderedOrganizationPolicyInputList=levels[:count])[0]
        for count in (1, 2)
    )
    assert (first["EvalDecision"], both["EvalDecision"]) == ("allowed", "implicitDeny")
    assert both["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}


@pytest.mark.parametrize(
    "left_out",
    [
        {"PolicyType": "inline"},
        {"InlinePolicyIdentifier": {"PolicyName": "allowed", "AttachmentType": "user", "AttachmentName": "bob"}},
    ],
)
def test_attached_policies_can_be_left_out(program: Program, bob: User, left_out: dict[str, Any]) -> None:
    allow(bob, "s3:GetObject")
    assert simulate(program, bob, "s3:GetObject")[0]["EvalDecision"] == "allowed"
    assert simulate(program, bob, "s3:GetObject", PolicyExclusionList=[left_out])[0]["EvalDecision"] == "implicitDeny"


def test_results_come_in_pages(program: Program) -> None:
    actions = ("s3:GetObject", "s3:PutObject", "s3:GetBucketAcl")
    ask: dict[str, Any] = {"PolicyInputList": [ALLOW], "ActionNames": list(actions), "MaxItems": 2}
    first = program.iam("SimulateCustomPolicy", **ask)
    last = program.iam("SimulateCustomPolicy", **ask, Marker=first["Marker"])
    assert (first["IsTruncated"], last["IsTruncated"]) == (True, False)
    named = [each["EvalActionName"] for each in (*first["EvaluationResults"], *last["EvaluationResults"])]
    assert named == list(actions)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"ActionNames": ["s3:Get*"]}, "Invalid action name"),
        ({"ActionNames": ["GetObject"]}, "Invalid action name"),
        ({"PolicyInputList": ["{"]}, "PolicyInputList.1 can't be read, line 1"),
        ({"PermissionsBoundaryPolicyInputList": [ALLOW, ALLOW]}, "Only one permissions boundary"),
        ({"ResourcePolicy": ALLOW}, "CallerArn is required"),
        ({"CallerArn": f"arn:aws:iam::{ACME}:role/deploy"}, "must be the ARN of an IAM user"),
        ({"ResourceOwner": "somebody"}, "must be the ARN of an account"),
        ({"ResourceHandlingOption": "EC2-Cloud"}, "ResourceHandlingOption must be one of"),
    ],
)
def test_wrong_inputs_are_named(program: Program, more: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        program.iam("SimulateCustomPolicy", **{"PolicyInputList": [ALLOW], "ActionNames": ["s3:GetObject"], **more})
    assert refused.value.code in ("InvalidInput", "ValidationError")


@pytest.mark.bar(129)
def test_no_more_is_simulated_than_can_be_looked_at(program: Program) -> None:
    names = [f"s3:Action{number}" for number in range(80)]
    with pytest.raises(Refused, match="8000 decisions were asked for"):
        custom(program, ALLOW, actions=tuple(names), ResourceArns=[f"{BUCKET}/{number}" for number in range(100)])


def test_unknown_sources_are_missing(program: Program) -> None:
    for kind in ("user", "group", "role"):
        ask = {"PolicySourceArn": f"arn:aws:iam::{ACME}:{kind}/nobody", "ActionNames": ["s3:GetObject"]}
        with pytest.raises(Refused, match=f"NoSuchEntity.*The {kind} with name nobody cannot be found"):
            program.iam("SimulatePrincipalPolicy", **ask)


@pytest.mark.bar(61, 68)
def test_it_hides_other_accounts(program_of: ProgramOf, bob: User, mallory: User) -> None:
    program = program_of(mallory)
    for operation in ("SimulatePrincipalPolicy", "GetContextKeysForPrincipalPolicy"):
        more = {"ActionNames": ["s3:GetObject"]} if operation.startswith("S") else {}
        with pytest.raises(Refused, match="NoSuchEntity|AccessDenied"):
            program.iam(operation, PolicySourceArn=bob.arn, **more)


@pytest.mark.bar(68)
def test_permission_is_asked_on_the_principal(program_of: ProgramOf, bob: User) -> None:
    carol = make_user(bob.account, "carol")
    allow(bob, ["iam:SimulatePrincipalPolicy", "iam:GetContextKeysForPrincipalPolicy"], carol.arn)
    program = program_of(bob)
    assert simulate(program, carol, "s3:GetObject")[0]["EvalDecision"] == "implicitDeny"
    with pytest.raises(Refused, match="AccessDenied"):
        simulate(program, bob, "s3:GetObject")
    with pytest.raises(Refused, match="AccessDenied"):
        custom(program, ALLOW)


def test_an_unreadable_document_denies_here_too(program: Program, bob: User) -> None:
    UserInlinePolicy.objects.create(user=bob, name="broken", document="{")
    result = simulate(program, bob, "s3:GetObject")[0]
    assert result["EvalDecision"] == "explicitDeny"
    assert result["MatchedStatements"] == [{"SourcePolicyId": "user_bob_broken", "SourcePolicyType": "user"}]
