"""An account with which nothing is wrong, and ways to spoil it: each makes one finding, and then mends it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from accounts.ids import new_access_key_id, new_unique_id
from accounts.models import Account, PasswordPolicy, RootUser
from audit import clock
from federation.models import OIDCProvider
from identities.models import (
    AccessKey,
    Group,
    GroupAttachment,
    GroupInlinePolicy,
    LoginProfile,
    Membership,
    MFADevice,
    Role,
    RoleAttachment,
    ServerCertificate,
    User,
    UserAttachment,
    UserInlinePolicy,
)
from policies.models import ManagedPolicy
from policies.services import create_policy, create_policy_version
from tests.cast import hashed, make_role, make_user, root_of

Spoiling = Callable[[Account, Any], Iterator[None]]


def make_sound(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(created_at=ago(400))
    RootUser.objects.filter(account=account).update(email="root@acme.org", password_last_used_at=None)
    device(account, None)
    PasswordPolicy.objects.create(account=account, minimum_password_length=14, password_reuse_prevention=24)
    group = Group.objects.create(account=account, name="auditors", unique_id=new_unique_id("AGPA"))
    GroupAttachment.objects.create(group=group, policy=built_in("SecurityAudit"), slot=1)
    OIDCProvider.objects.create(account=account, url="id.acme.org", issuer="https://id.acme.org")


def built_in(name: str) -> ManagedPolicy:
    return ManagedPolicy.objects.get(account=None, name=name)


def device(account: Account, user: User | None) -> MFADevice:
    name = user.name if user else "root"
    return MFADevice.objects.create(account=account, user=user, name=name, slot=1, enabled_at=clock.now())


def person(account: Account, *, old: int = 0, console: bool = True, **facts: Any) -> User:
    """Carol, who is well protected and `old` days old. `facts` are of her row."""
    user = make_user(account, "carol", console=False)
    made = ago(old)
    User.objects.filter(pk=user.pk).update(created_at=made, **facts)
    if console:
        LoginProfile.objects.create(user=user, password=hashed("x"), password_changed_at=made, created_at=made)
    device(account, user)
    return User.objects.get(pk=user.pk)


def key(account: Account, user: User | None, *, old: int = 0, used: int | None = 0, slot: int = 1) -> AccessKey:
    return AccessKey.objects.create(
        access_key_id=new_access_key_id(account.id),
        account=account,
        user=user,
        slot=slot,
        created_at=ago(old),
        last_used_at=None if used is None else ago(used),
    )


def ago(days: int) -> datetime:
    return clock.now() - timedelta(days=days)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def letting(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def own_policy(account: Account, text: str) -> ManagedPolicy:
    return create_policy(by=root_of(account), name="Own", document=text)


def trust(account: Account, statement: dict[str, Any]) -> Role:
    return make_role(account, "Worker", document({"Effect": "Allow", "Action": "sts:AssumeRole", **statement}))


def root_has_a_key(account: Account, settings: Any) -> Iterator[None]:
    made = key(account, None, used=None)
    yield
    made.delete()


def root_has_no_mfa(account: Account, settings: Any) -> Iterator[None]:
    devices = MFADevice.objects.filter(user=None)
    devices.update(enabled_at=None)
    yield
    devices.update(enabled_at=clock.now())


def root_was_used(account: Account, settings: Any) -> Iterator[None]:
    RootUser.objects.update(password_last_used_at=ago(89))
    yield
    RootUser.objects.update(password_last_used_at=ago(90))


def root_is_nowhere(account: Account, settings: Any) -> Iterator[None]:
    RootUser.objects.update(email="root@acme.example")
    yield
    RootUser.objects.update(email="root@acme.org")


def no_mail_is_sent(account: Account, settings: Any) -> Iterator[None]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    yield
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


ROOT: list[tuple[str, Spoiling]] = [
    ("ROOT_ACCESS_KEY", root_has_a_key),
    ("ROOT_NO_MFA", root_has_no_mfa),
    ("ROOT_USED", root_was_used),
    ("ROOT_UNREACHABLE", root_is_nowhere),
    ("ROOT_UNREACHABLE", no_mail_is_sent),
]


def user_without_mfa(account: Account, settings: Any) -> Iterator[None]:
    user = person(account)
    MFADevice.objects.filter(user=user).update(enabled_at=None)
    yield
    MFADevice.objects.filter(user=user).update(enabled_at=clock.now())


def password_never_used(account: Account, settings: Any) -> Iterator[None]:
    user = person(account, old=45)
    yield
    User.objects.filter(pk=user.pk).update(password_last_used_at=clock.now())


def password_not_used_lately(account: Account, settings: Any) -> Iterator[None]:
    user = person(account, old=400, password_last_used_at=ago(45))
    yield
    LoginProfile.objects.filter(user=user).delete()


def key_not_used_lately(account: Account, settings: Any) -> Iterator[None]:
    made = key(account, person(account, old=80, console=False), old=60, used=45)
    yield
    AccessKey.objects.filter(pk=made.pk).update(status="Inactive")


def key_never_used(account: Account, settings: Any) -> Iterator[None]:
    made = key(account, person(account, old=80, console=False), old=45, used=None)
    yield
    AccessKey.objects.filter(pk=made.pk).update(last_used_at=ago(44))


def key_is_old(account: Account, settings: Any) -> Iterator[None]:
    made = key(account, person(account, old=200, console=False), old=90)
    yield
    AccessKey.objects.filter(pk=made.pk).update(created_at=ago(89))


def two_keys_are_active(account: Account, settings: Any) -> Iterator[None]:
    user = person(account)
    key(account, user)
    made = key(account, user, slot=2)
    yield
    made.delete()


def key_came_with_the_user(account: Account, settings: Any) -> Iterator[None]:
    made = key(account, person(account), used=None)
    yield
    AccessKey.objects.filter(pk=made.pk).update(last_used_at=clock.now())


def policy_on_the_user(account: Account, settings: Any) -> Iterator[None]:
    user = person(account)
    row = UserAttachment.objects.create(user=user, policy=built_in("IAMReadOnlyAccess"), slot=1)
    yield
    row.delete()


def policy_in_the_user(account: Account, settings: Any) -> Iterator[None]:
    user = person(account)
    row = UserInlinePolicy.objects.create(user=user, name="look", document=document(letting("s3:GetObject")))
    yield
    row.delete()


USERS: list[tuple[str, Spoiling]] = [
    ("USER_NO_MFA", user_without_mfa),
    ("PASSWORD_UNUSED", password_never_used),
    ("PASSWORD_UNUSED", password_not_used_lately),
    ("KEY_UNUSED", key_not_used_lately),
    ("KEY_UNUSED", key_never_used),
    ("KEY_OLD", key_is_old),
    ("TWO_KEYS", two_keys_are_active),
    ("KEY_MADE_WITH_USER", key_came_with_the_user),
    ("DIRECT_POLICY", policy_on_the_user),
    ("DIRECT_POLICY", policy_in_the_user),
]


def full_own_policy(account: Account, settings: Any) -> Iterator[None]:
    policy = own_policy(account, document(letting("*")))
    row = RoleAttachment.objects.create(role=make_role(account, "Worker"), policy=policy, slot=1)
    yield
    row.delete()


def full_in_other_words(account: Account, settings: Any) -> Iterator[None]:
    group = Group.objects.get(name="auditors")
    text = document({"Effect": "Allow", "NotAction": "aws-portal:*", "NotResource": "arn:aws:s3:::payroll"})
    row = GroupInlinePolicy.objects.create(group=group, name="all", document=text)
    yield
    row.delete()


def full_without_a_boundary(account: Account, settings: Any) -> Iterator[None]:
    role = make_role(account, "Worker")
    RoleAttachment.objects.create(role=role, policy=built_in("AdministratorAccess"), slot=1)
    yield
    Role.objects.filter(pk=role.pk).update(boundary=built_in("IAMReadOnlyAccess"))


def escalation_in_own_policy(account: Account, settings: Any) -> Iterator[None]:
    policy = own_policy(account, document(letting("iam:CreatePolicyVersion")))
    RoleAttachment.objects.create(role=make_role(account, "Worker"), policy=policy, slot=1)
    yield
    narrow = document(letting("iam:CreatePolicyVersion", resource="arn:aws:iam::111122223333:policy/app/web"))
    create_policy_version(by=root_of(account), policy=policy, document=narrow, set_as_default=True)


def escalation_in_inline_policy(account: Account, settings: Any) -> Iterator[None]:
    group = Group.objects.get(name="auditors")
    text = document(letting("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"))
    row = GroupInlinePolicy.objects.create(group=group, name="deploy", document=text)
    yield
    row.document = document(letting("lambda:CreateFunction", "lambda:InvokeFunction"))
    row.save()


def escalation_that_nobody_has(account: Account, settings: Any) -> Iterator[None]:
    policy = own_policy(account, document(letting("iam:SetDefaultPolicyVersion")))
    yield
    policy.versions.all().delete()
    policy.delete()


def escalation_by_two_policies(account: Account, settings: Any) -> Iterator[None]:
    """Neither says anything alone."""
    role = make_role(account, "Worker")
    for slot, action in enumerate(("iam:PassRole", "ec2:RunInstances"), start=1):
        policy = create_policy(by=root_of(account), name=f"Half{slot}", document=document(letting(action)))
        row = RoleAttachment.objects.create(role=role, policy=policy, slot=slot)
    yield
    row.delete()


def escalation_by_a_group(account: Account, settings: Any) -> Iterator[None]:
    """What the user has counts together with what the group has."""
    user, group = person(account), Group.objects.create(account=account, name="staff", unique_id="AGPASTAFF")
    GroupInlinePolicy.objects.create(group=group, name="pass", document=document(letting("iam:PassRole")))
    other = Group.objects.create(account=account, name="builders", unique_id="AGPABUILDERS")
    GroupInlinePolicy.objects.create(group=other, name="run", document=document(letting("ec2:RunInstances")))
    Membership.objects.create(user=user, group=group, slot=1)
    row = Membership.objects.create(user=user, group=other, slot=2)
    yield
    row.delete()


def anybody_may_assume(account: Account, settings: Any) -> Iterator[None]:
    role = trust(account, {"Principal": "*"})
    yield
    role.document = document(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": "111122223333"}},
        }
    )
    role.save()


def any_repository_may_assume(account: Account, settings: Any) -> Iterator[None]:
    host = "token.actions.githubusercontent.com"
    provider = OIDCProvider.objects.create(account=account, url=host, issuer=f"https://{host}")
    statement: dict[str, Any] = {"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": provider.arn}}
    role = trust(account, statement)
    yield
    condition = {"StringEquals": {f"{host}:sub": "repo:acme/web:ref:refs/heads/main"}}
    role.document = document({"Effect": "Allow", **statement, "Condition": condition})
    role.save()


def any_account_through_a_service(account: Account, settings: Any) -> Iterator[None]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}
    role = trust(account, statement)
    yield
    role.document = document(statement | {"Condition": {"StringEquals": {"aws:SourceAccount": account.id}}})
    role.save()


POLICIES: list[tuple[str, Spoiling]] = [
    ("FULL_ACCESS", full_own_policy),
    ("FULL_ACCESS", full_in_other_words),
    ("ADMINISTRATOR", full_without_a_boundary),
    ("ESCALATION", escalation_in_own_policy),
    ("ESCALATION", escalation_in_inline_policy),
    ("ESCALATION_WAITING", escalation_that_nobody_has),
    ("JOINT_ESCALATION", escalation_by_two_policies),
    ("JOINT_ESCALATION", escalation_by_a_group),
    ("PUBLIC_TRUST", anybody_may_assume),
    ("SHARED_PROVIDER", any_repository_may_assume),
    ("CONFUSED_DEPUTY", any_account_through_a_service),
]


def password_too_short(account: Account, settings: Any) -> Iterator[None]:
    PasswordPolicy.objects.update(minimum_password_length=13)
    yield
    PasswordPolicy.objects.update(minimum_password_length=14)


def passwords_come_back(account: Account, settings: Any) -> Iterator[None]:
    PasswordPolicy.objects.update(password_reuse_prevention=23)
    yield
    PasswordPolicy.objects.update(password_reuse_prevention=24)


def certificate_has_ended(account: Account, settings: Any) -> Iterator[None]:
    row = ServerCertificate.objects.create(account=account, name="shop", unique_id="ASCASHOP", expires_at=ago(1))
    yield
    row.delete()


def nobody_audits(account: Account, settings: Any) -> Iterator[None]:
    GroupAttachment.objects.all().delete()
    yield
    RoleAttachment.objects.create(role=make_role(account, "Auditor"), policy=built_in("SecurityAudit"), slot=1)


def nobody_vouches(account: Account, settings: Any) -> Iterator[None]:
    for number in range(10):
        device(account, make_user(account, f"user{number}"))
    OIDCProvider.objects.all().delete()
    yield
    OIDCProvider.objects.create(account=account, url="id.acme.org", issuer="https://id.acme.org")


ACCOUNT: list[tuple[str, Spoiling]] = [
    ("PASSWORD_LENGTH", password_too_short),
    ("PASSWORD_REUSE", passwords_come_back),
    ("CERTIFICATE_ENDED", certificate_has_ended),
    ("NO_AUDITOR", nobody_audits),
    ("NO_FEDERATION", nobody_vouches),
]
