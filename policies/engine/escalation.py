"""Sets of permissions with which somebody can make themselves more powerful than they are meant to be."""

from collections.abc import Callable

# What the set lets one do, and the actions it takes.
ESCALATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("write a new version of a policy that applies to them", ("iam:CreatePolicyVersion",)),
    ("bring back an older, more generous version of a policy", ("iam:SetDefaultPolicyVersion",)),
    ("attach any policy to themselves", ("iam:AttachUserPolicy",)),
    ("attach any policy to a group they are in", ("iam:AttachGroupPolicy",)),
    ("attach any policy to a role and assume it", ("iam:AttachRolePolicy",)),
    ("write themselves an inline policy", ("iam:PutUserPolicy",)),
    ("write a group they are in an inline policy", ("iam:PutGroupPolicy",)),
    ("write a role an inline policy and assume it", ("iam:PutRolePolicy",)),
    ("join any group", ("iam:AddUserToGroup",)),
    ("make access keys for another user", ("iam:CreateAccessKey",)),
    ("set another user's first password", ("iam:CreateLoginProfile",)),
    ("change another user's password", ("iam:UpdateLoginProfile",)),
    ("let themselves assume any role", ("iam:UpdateAssumeRolePolicy",)),
    ("take away the boundary that limits a user", ("iam:DeleteUserPermissionsBoundary",)),
    ("replace the boundary that limits a user", ("iam:PutUserPermissionsBoundary",)),
    ("start a machine with a stronger role", ("iam:PassRole", "ec2:RunInstances")),
    ("run code with a stronger role", ("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction")),
    ("have code with a stronger role called", ("iam:PassRole", "lambda:CreateFunction", "lambda:AddPermission")),
    ("replace the code of a function that has a stronger role", ("lambda:UpdateFunctionCode",)),
    ("build a stack with a stronger role", ("iam:PassRole", "cloudformation:CreateStack")),
    ("run a pipeline with a stronger role", ("iam:PassRole", "datapipeline:CreatePipeline")),
    ("open a development endpoint with a stronger role", ("iam:PassRole", "glue:CreateDevEndpoint")),
    ("run a container with a stronger role", ("iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask")),
    ("build a project with a stronger role", ("iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuild")),
)

# Writing a resource's own policy opens it to others without touching IAM.
RESOURCE_POLICY_ACTIONS = (
    "s3:PutBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutObjectAcl",
    "kms:PutKeyPolicy",
    "kms:CreateGrant",
    "lambda:AddPermission",
    "sqs:AddPermission",
    "sns:AddPermission",
    "secretsmanager:PutResourcePolicy",
    "ecr:SetRepositoryPolicy",
    "backup:PutBackupVaultAccessPolicy",
    "es:UpdateDomainConfig",
)


def reachable(allowed: Callable[[str], bool]) -> list[tuple[str, tuple[str, ...]]]:
    """The escalations all of whose actions are allowed."""
    return [each for each in ESCALATIONS if all(allowed(action) for action in each[1])]
