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
    ("take away the boundary that limits a role", ("iam:DeleteRolePermissionsBoundary",)),
    ("replace the boundary that limits a role", ("iam:PutRolePermissionsBoundary",)),
    ("take away a policy that denies them something", ("iam:DetachUserPolicy",)),
    ("delete an inline policy that denies them something", ("iam:DeleteUserPolicy",)),
    ("leave a group whose policies deny them something", ("iam:RemoveUserFromGroup",)),
    ("take away a policy that denies their group something", ("iam:DetachGroupPolicy",)),
    ("delete an inline policy that denies their group something", ("iam:DeleteGroupPolicy",)),
    ("take away a policy that denies a role something, and assume it", ("iam:DetachRolePolicy",)),
    ("delete an inline policy that denies a role something, and assume it", ("iam:DeleteRolePolicy",)),
    ("make another user's credentials for a service", ("iam:CreateServiceSpecificCredential",)),
    ("replace another user's secret for a service", ("iam:ResetServiceSpecificCredential",)),
    ("sign in to servers as another user", ("iam:UploadSSHPublicKey",)),
    ("vouch for themselves as a provider that roles trust", ("iam:UpdateSAMLProvider",)),
    ("have a provider's tokens for a client of theirs accepted", ("iam:AddClientIDToOpenIDConnectProvider",)),
    ("register a machine of theirs with a stronger role", ("iam:PassRole", "iamconsole:RegisterMachine")),
    ("give a machine of theirs a stronger role", ("iam:PassRole", "iamconsole:UpdateMachine")),
    ("take the place of a machine with a stronger role", ("iam:PassRole", "iamconsole:CreateMachineJoinToken")),
    ("put a stronger role into the profile of a machine", ("iam:PassRole", "iam:AddRoleToInstanceProfile")),
    ("assume any role that trusts the account", ("sts:AssumeRole",)),
    ("start a machine with a stronger role", ("iam:PassRole", "ec2:RunInstances")),
    ("run code with a stronger role", ("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction")),
    ("have code with a stronger role called", ("iam:PassRole", "lambda:CreateFunction", "lambda:AddPermission")),
    ("replace the code of a function that has a stronger role", ("lambda:UpdateFunctionCode",)),
    ("build a stack with a stronger role", ("iam:PassRole", "cloudformation:CreateStack")),
    ("run a pipeline with a stronger role", ("iam:PassRole", "datapipeline:CreatePipeline")),
    ("open a development endpoint with a stronger role", ("iam:PassRole", "glue:CreateDevEndpoint")),
    ("run a container with a stronger role", ("iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask")),
    ("build a project with a stronger role", ("iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuild")),
    ("replace the build of a project that has a stronger role", ("codebuild:UpdateProject", "codebuild:StartBuild")),
    ("open a notebook with a stronger role", ("iam:PassRole", "sagemaker:CreateNotebookInstance")),
    ("run a processing job with a stronger role", ("iam:PassRole", "sagemaker:CreateProcessingJob")),
    ("run a training job with a stronger role", ("iam:PassRole", "sagemaker:CreateTrainingJob")),
    ("open another's notebook, which has a role", ("sagemaker:CreatePresignedNotebookInstanceUrl",)),
    ("run a job with a stronger role", ("iam:PassRole", "glue:CreateJob", "glue:StartJobRun")),
    ("replace the code of a job that has a stronger role", ("glue:UpdateJob", "glue:StartJobRun")),
    ("run a workflow with a stronger role", ("iam:PassRole", "states:CreateStateMachine", "states:StartExecution")),
    ("run a service with a stronger role", ("iam:PassRole", "apprunner:CreateService")),
    ("run a batch job with a stronger role", ("iam:PassRole", "batch:RegisterJobDefinition", "batch:SubmitJob")),
    ("run an automation with a stronger role", ("iam:PassRole", "ssm:StartAutomationExecution")),
    ("give a machine a stronger role", ("iam:PassRole", "ec2:AssociateIamInstanceProfile")),
    ("run commands on machines that have roles", ("ssm:SendCommand",)),
    ("sign in to machines that have roles", ("ssm:StartSession",)),
    ("change the stack that a stronger role builds", ("cloudformation:UpdateStack",)),
    ("read the code's role out of a function by its settings", ("lambda:UpdateFunctionConfiguration",)),
)

# What makes more powerful already when it is allowed on nobody but oneself.
OWN_USER_ACTIONS = (
    "iam:AttachUserPolicy",
    "iam:PutUserPolicy",
    "iam:DetachUserPolicy",
    "iam:DeleteUserPolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
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
