"""What can be done to an account itself: opening it, its alias, its password policy, and its root user's data."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError as FieldValidationError
from django.db import IntegrityError, transaction

from accounts.ids import new_account_id
from accounts.mails import send_after_commit
from accounts.models import Account, PasswordPolicy, RootUser
from accounts.passwords import check_new_password, context_words, normalise
from accounts.rules import alias_problem, comparison_key, email_problem, is_account_id
from audit import clock
from audit.errors import (
    ConcurrentModification,
    EntityAlreadyExists,
    InvalidUserType,
    NoSuchEntity,
    PasswordPolicyViolation,
    ValidationError,
)
from audit.principal import Principal
from audit.services import record

NAME_LIMIT = 50


def create_account(
    *,
    by: Principal,
    name: str,
    email: str,
    password: str,
    alias: str | None = None,
    account_id: str | None = None,
) -> Account:
    """Open an account with its root user. Raises ValidationError, PasswordPolicyViolation or EntityAlreadyExists,
    each with the field it is about."""
    name = _checked_name(name)
    _refuse(email_problem(email), "email")
    _refuse(alias_problem(alias) if alias else "", "alias")
    _refuse("" if is_account_id(account_id or "0" * 12) else "An account id is 12 digits.", "account_id")
    account = Account(id=account_id or new_account_id(), name=name, alias=alias or None)
    root_user = RootUser(account=account, email=email, email_key=comparison_key(email))
    _check_first_password(root_user, password, by)
    root_user.password = make_password(normalise(password))
    with transaction.atomic():
        _refuse_taken(account, root_user)
        account.save(force_insert=True)
        root_user.save(force_insert=True)
        # In the trail of the account itself, although nobody of it was there before.
        opener = replace(by, account_id=account.id)
        record(opener, "iamconsole:CreateAccount", account.root_arn, name=name, alias=account.alias)
    return account


def _refuse_taken(account: Account, root_user: RootUser) -> None:
    if Account.objects.filter(id=account.id).exists():
        raise EntityAlreadyExists(f"An account with the id {account.id} exists already.", field="account_id")
    if account.alias and Account.objects.filter(alias=account.alias).exists():
        raise EntityAlreadyExists(f"The account alias {account.alias} already exists.", field="alias")
    if RootUser.objects.filter(email_key=root_user.email_key).exists():
        raise EntityAlreadyExists("An account with this root e-mail address exists already.", field="email")


def rename_account(*, by: Principal, name: str) -> Account:
    """Give the account another name. Only its root user may."""
    _root_only(by)
    account = Account.objects.get(pk=by.account_id)
    before, account.name = account.name, _checked_name(name)
    with transaction.atomic():
        account.save(update_fields=["name"])
        record(by, "account:PutAccountName", account.root_arn, before=before, after=account.name)
    return account


def create_account_alias(*, by: Principal, alias: str) -> Account:
    """Set the account's alias; one that it has already is replaced (CreateAccountAlias). It is unique everywhere."""
    _refuse(alias_problem(alias), "alias")
    account = Account.objects.get(pk=by.account_id)
    before, account.alias = account.alias, alias
    with transaction.atomic():
        try:
            with transaction.atomic():
                account.save(update_fields=["alias"])
        except IntegrityError as error:
            raise EntityAlreadyExists(f"The account alias {alias} already exists.", field="alias") from error
        record(by, "iam:CreateAccountAlias", account.root_arn, before=before, after=alias)
    return account


@transaction.atomic
def delete_account_alias(*, by: Principal, alias: str) -> None:
    """Take the alias away: sign-in pages with it stop working at once. Raises NoSuchEntity when it is another one."""
    if not Account.objects.filter(pk=by.account_id, alias=alias).update(alias=None):
        raise NoSuchEntity(f"The account alias {alias} cannot be found.")
    record(by, "iam:DeleteAccountAlias", f"arn:aws:iam::{by.account_id}:root", before=alias, after=None)


def update_account_password_policy(*, by: Principal, **fields: Any) -> PasswordPolicy:
    """Replace the whole policy: a field that is not given returns to its default (UpdateAccountPasswordPolicy)."""
    given = {name: value for name, value in fields.items() if value is not None}
    policy = PasswordPolicy(account_id=by.account_id, updated_at=clock.now(), **given)
    try:
        policy.clean_fields(exclude=["account"])
    except FieldValidationError as error:
        name, problems = next(iter(error.message_dict.items()))
        raise ValidationError(f"{name.replace('_', ' ').capitalize()}: {problems[0]}", field=name) from error
    with transaction.atomic():
        before = policy_facts(PasswordPolicy.objects.filter(pk=by.account_id).first())
        policy.save()
        facts = policy_facts(policy)
        record(by, "iam:UpdateAccountPasswordPolicy", f"arn:aws:iam::{by.account_id}:root", before=before, after=facts)
    return policy


@transaction.atomic
def delete_account_password_policy(*, by: Principal) -> None:
    """Go back to the built-in rules. Raises NoSuchEntity when there is no policy."""
    policy = PasswordPolicy.objects.filter(pk=by.account_id).first()
    if policy is None:
        raise NoSuchEntity(f"The account policy with name PasswordPolicy for {by.account_id} cannot be found.")
    before = policy_facts(policy)
    policy.delete()
    record(by, "iam:DeleteAccountPasswordPolicy", f"arn:aws:iam::{by.account_id}:root", before=before, after=None)


POLICY_FIELDS = (
    "minimum_password_length",
    "require_symbols",
    "require_numbers",
    "require_uppercase_characters",
    "require_lowercase_characters",
    "allow_users_to_change_password",
    "max_password_age",
    "password_reuse_prevention",
    "hard_expiry",
)


def policy_facts(policy: PasswordPolicy | None) -> dict[str, int | bool] | None:
    """The policy as plain facts, for the audit trail and for forms."""
    return {name: getattr(policy, name) for name in POLICY_FIELDS} if policy else None


def change_root_password(*, by: Principal, root_user: RootUser, new_password: str, has_mfa: bool = False) -> RootUser:
    """Set root's password; every session opened with the old one ends. The account's policy never covers root's.

    Raises PasswordPolicyViolation; ConcurrentModification when it was changed meanwhile.
    """
    _check_root_password(root_user, new_password, has_mfa=has_mfa)
    password = normalise(new_password)
    if check_password(password, root_user.password):
        raise PasswordPolicyViolation("This is the present password; choose another one.", field="password")
    changed = {"password": make_password(password), "password_changed_at": clock.now()}
    with transaction.atomic():
        if not RootUser.objects.filter(pk=root_user.pk, password=root_user.password).update(**changed):
            raise ConcurrentModification("The password was changed by somebody else just now. Open the page again.")
        record(by, "signin:PasswordUpdated", root_user.arn)
        _tell_root(root_user, "The root user's password was changed", by)
    root_user.refresh_from_db()
    return root_user


def change_root_email(*, by: Principal, root_user: RootUser, email: str) -> RootUser:
    """Give root another address to sign in with, and tell the old one. Only root may.

    Raises EntityAlreadyExists when the address is another root user's.
    """
    _root_only(by)
    _refuse(email_problem(email), "email")
    before = root_user.email
    with transaction.atomic():
        _tell_root(root_user, f"The root user's e-mail address was changed to {email}", by)
        root_user.email, root_user.email_key = email, comparison_key(email)
        try:
            with transaction.atomic():
                root_user.save(update_fields=["email", "email_key"])
        except IntegrityError as error:
            raise EntityAlreadyExists("This address can't be used.", field="email") from error
        record(by, "account:AcceptPrimaryEmailUpdate", root_user.arn, before=before, after=email)
    return root_user


def _tell_root(root_user: RootUser, what: str, by: Principal) -> None:
    """Mail to the address as it is now."""
    where = f" from {by.origin.address}" if by.origin.address else ""
    text = (
        f"{what}{where}, at {clock.now():%Y-%m-%d %H:%M} UTC.\n\nAccount: {root_user.account.name} "
        f"({root_user.account_id})\n\nIf you did not expect this, ask for a new password on the sign-in page for root "
        f"users and look at the audit trail.\n\n{settings.SITE_URL}/\n"
    )
    send_after_commit(f"[{root_user.account.name}] {what}", text, root_user.email)


def _check_first_password(root_user: RootUser, password: str, by: Principal) -> None:
    """A script of the operator may also give a password that AWS's own rules accept, as the API may."""
    try:
        _check_root_password(root_user, password, has_mfa=False)
    except PasswordPolicyViolation as stricter:
        if by.type != "system":
            raise
        words = context_words(root_user.account, email=root_user.email)
        try:
            check_new_password(password, policy=None, words=words, has_mfa=False, for_console=False)
        except PasswordPolicyViolation:
            raise stricter from None


def _check_root_password(root_user: RootUser, password: str, *, has_mfa: bool) -> None:
    words = context_words(root_user.account, email=root_user.email)
    check_new_password(password, policy=None, words=words, has_mfa=has_mfa, for_console=True)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    _refuse("" if name else "Enter a name for the account.", "name")
    long = f"The name has {len(name)} characters; at most {NAME_LIMIT} are allowed."
    _refuse(long if len(name) > NAME_LIMIT else "", "name")
    _refuse("" if name.isprintable() else "The name holds a character that can't be shown.", "name")
    return name


def _root_only(by: Principal) -> None:
    if not by.is_root:
        raise InvalidUserType("Only the root user of the account can do this.")


def _refuse(problem: str, field: str) -> None:
    if problem:
        raise ValidationError(problem, field=field)
