"""Reading an account for its checks: one query per table, however many rows there are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

from django.db.models import Case, F, Model, Q, When

from access.policy_rows import texts_of
from access.self_check.checks import CERTIFICATES, CREDENTIALS, DETAILS, EMAIL, PASSWORD_POLICY, PROVIDERS, SUMMARY
from access.self_check.facts import Certificate, Facts, Holder, Inline, Key, Person, Policy, Root, Trust
from accounts import mails
from accounts.models import RootUser
from accounts.passwords import password_policy_of
from federation.models import OIDCProvider, SAMLProvider
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
    RoleInlinePolicy,
    ServerCertificate,
    User,
    UserAttachment,
    UserInlinePolicy,
)
from identities.models.credentials import KeyStatus
from identities.models.lockdowns import LOCKDOWN_SLOT
from identities.models.roles import SERVICE_LINKED_PATH
from policies.analysed import openings, powers
from policies.models import PolicyVersion


def read_facts(account_id: str, may_read: Collection[str], most: int) -> Facts:
    """What somebody with these actions may be shown of an account. At most `most` documents that nobody has looked at
    yet are looked at now."""

    def may(actions: Iterable[str]) -> bool:
        return all(action in may_read for action in actions)

    parts: dict[str, Any] = {}
    if may(SUMMARY) or may(CREDENTIALS) or may(EMAIL):
        parts |= _credentials(account_id)
    if may(DETAILS):
        parts |= _permissions(account_id, most)
    if may(PASSWORD_POLICY):
        policy = password_policy_of(account_id)
        parts["password_length"] = policy.minimum_password_length if policy else 0
        parts["password_reuse"] = policy.password_reuse_prevention if policy else 0
    if may(CERTIFICATES):
        rows = ServerCertificate.objects.filter(account_id=account_id).values_list("name", "unique_id", "expires_at")
        parts["certificates"] = tuple(Certificate(*row) for row in rows.order_by("name_key"))
    if may(PROVIDERS):
        providers = (
            SAMLProvider.objects.filter(account_id=account_id),
            OIDCProvider.objects.filter(account_id=account_id),
        )
        parts["has_providers"] = any(rows.exists() for rows in providers)
    return Facts(**parts)


def _credentials(account_id: str) -> dict[str, Any]:
    """Root, and the users who have a console password or an active key; nobody else has anything to lose. While a user
    is locked down no credential of theirs is any good."""
    devices = MFADevice.objects.filter(account_id=account_id, enabled_at__isnull=False)
    with_mfa = set(devices.values_list("user_id", flat=True))
    people = {
        pk: Person(name, unique_id, password_set, password_used, pk in with_mfa, ())
        for pk, name, unique_id, password_set, password_used in _passwords(account_id)
    }
    for owner, name, unique_id, *facts in _active_keys(account_id):
        person = people.get(owner) or Person(name, unique_id, None, None, owner in with_mfa, ())
        people[owner] = person._replace(keys=(*person.keys, Key(*facts)))
    return {
        "root": _root(account_id, has_mfa=None in with_mfa),
        "people": tuple(sorted(people.values(), key=lambda person: person.name.lower())),
    }


def _root(account_id: str, *, has_mfa: bool) -> Root:
    root = RootUser.objects.select_related("account").get(account_id=account_id)
    keys = list(AccessKey.objects.filter(account_id=account_id, user=None).values_list("last_used_at", flat=True))
    used = max((each for each in (root.password_last_used_at, *keys) if each), default=None)
    return Root(root.email, root.account.created_at, has_mfa, len(keys), used, mails.are_sent())


def _passwords(account_id: str) -> Iterable[tuple[Any, ...]]:
    rows = LoginProfile.objects.filter(user__account_id=account_id, user__lockdown=None)
    return rows.values_list(
        "user_id", "user__name", "user__unique_id", "password_changed_at", "user__password_last_used_at"
    )


def _active_keys(account_id: str) -> Iterable[tuple[Any, ...]]:
    """The oldest first. When the owner was made is told of keys only that were never used."""
    of_users = AccessKey.objects.filter(account_id=account_id, user__isnull=False, user__lockdown=None)
    rows = of_users.filter(status=KeyStatus.ACTIVE)
    owner_made = Case(When(last_used_at=None, then=F("user__created_at")))
    columns = ("user_id", "user__name", "user__unique_id", "access_key_id", "created_at", "last_used_at")
    return rows.order_by("created_at", "slot").values_list(*columns, owner_made)


def _permissions(account_id: str, most: int) -> dict[str, Any]:
    """Everybody's policies, and whom the roles trust. What comes while this is read is left for the next time."""
    policies = _policies(account_id)
    users = _holders(account_id, policies, User, UserAttachment, UserInlinePolicy)
    groups = _holders(account_id, policies, Group, GroupAttachment, GroupInlinePolicy)
    roles = _holders(account_id, policies, Role, RoleAttachment, RoleInlinePolicy)
    holders = (*users.values(), *groups.values(), *roles.values())
    digests = {each.digest for each in policies.values()} | {each.digest for who in holders for each in who.inline}
    trusted = Role.objects.filter(account_id=account_id).exclude(path__startswith=SERVICE_LINKED_PATH)
    trusts = tuple(Trust(*row) for row in trusted.order_by("name_key").values_list("name", "unique_id", "digest"))
    return {
        "policies": policies,
        "users": tuple(users.values()),
        "groups": groups,
        "roles": tuple(roles.values()),
        "trusts": trusts,
        "powers": powers.get_many(digests, texts_of, most),
        "openings": openings.get_many({trust.digest for trust in trusts}, partial(_trust_texts, account_id), most),
    }


def _policies(account_id: str) -> dict[int, Policy]:
    """The account's own policies and the built-in ones, by their default versions."""
    defaults = PolicyVersion.objects.filter(Q(policy__account_id=account_id) | Q(policy__account=None), is_default=True)
    columns = ("policy_id", "policy__name", "policy__unique_id", "policy__account_id", "digest")
    rows = defaults.order_by("policy__name_key").values_list(*columns)
    return {pk: Policy(name, unique_id, account is None, digest) for pk, name, unique_id, account, digest in rows}


def _holders(
    account_id: str,
    policies: Mapping[int, Policy],
    model: type[Model],
    attachment: type[Model],
    inline: type[Model],
) -> dict[int, Holder]:
    """All users, groups or roles of an account, by primary key and in the order of their names."""
    kind = str(model._meta.model_name)
    of_account: dict[str, Any] = {f"{kind}__account_id": account_id}
    attached, written, joined = defaultdict(list), defaultdict(list), _memberships(account_id, kind)
    by_hand = attachment._default_manager.filter(**of_account).exclude(slot=LOCKDOWN_SLOT)
    for owner, policy in by_hand.values_list(f"{kind}_id", "policy_id"):
        if policy in policies:
            attached[owner].append(policy)
    rows = inline._default_manager.filter(**of_account).order_by("name")
    for owner, name, digest in rows.values_list(f"{kind}_id", "name", "digest"):
        written[owner].append(Inline(name, digest))
    columns = ("pk", "name", "unique_id", *(() if kind == "group" else ("boundary_id",)))
    found = model._default_manager.filter(account_id=account_id).order_by("name_key")
    return {
        pk: Holder(
            kind,
            name,
            unique_id,
            tuple(attached.get(pk, ())),
            tuple(written.get(pk, ())),
            boundary[0] if boundary else None,
            tuple(joined.get(pk, ())),
        )
        for pk, name, unique_id, *boundary in found.values_list(*columns)
    }


def _memberships(account_id: str, kind: str) -> Mapping[int, list[int]]:
    joined: dict[int, list[int]] = defaultdict(list)
    if kind == "user":
        rows = Membership.objects.filter(user__account_id=account_id)
        for user, group in rows.values_list("user_id", "group_id"):
            joined[user].append(group)
    return joined


def _trust_texts(account_id: str, digests: set[str]) -> Mapping[str, str]:
    rows = Role.objects.filter(account_id=account_id, digest__in=digests)
    return dict(rows.values_list("digest", "document"))
