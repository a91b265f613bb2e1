"""What an explanation names, all in one query: the texts of the policies, as they were when they decided, and the
tags of what they belong to, by which the permission to read them may be limited."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Concat
from django.db.models.lookups import Exact

from access.gate import TRUST
from accounts.tags import iam_resource_tag_keys, resource_tag_keys
from database.batch import AnyOf, Build, QueryBatch, Rows
from database.prepared import Param
from identities.models import GroupInlinePolicy, Role, RoleInlinePolicy, RoleTag, UserInlinePolicy, UserTag
from identities.models.roles import role_arn
from identities.models.users import user_arn
from identities.services import trust
from policies.models import PolicyTag, PolicyVersion, policy_arn

# Whose policy, which one, and the digest of its text.
Key = tuple[str, str, str]

_ACCOUNT, _DIGEST = Param("account_id"), AnyOf("digest", Param("digests"))


def key_of(policy: Mapping[str, str]) -> Key:
    """By which a policy of an explanation is found. Of one that is attached its ARN is enough."""
    source, digest = policy["source"], policy["digest"]
    if source.startswith("arn:"):
        return "", source, digest
    kind, _, path = policy["origin"].rpartition(":")[2].partition("/")
    return f"{kind}/{path.rpartition('/')[2]}", source, digest


@dataclass(frozen=True, slots=True)
class Named:
    """`texts` are those that are still there; `keys` the condition keys that users, roles and policies bring by their
    tags, by ARN."""

    texts: Mapping[Key, str] = field(default_factory=dict)
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def look_up(
    account_id: str, policies: Iterable[Mapping[str, str]], arns: Iterable[str], trust_document: str = ""
) -> Named:
    """Whom a trust policy names that is known beforehand (`trust_document`) is looked up in the same query."""
    wanted, tagged = {key_of(policy) for policy in policies}, {arn for arn in arns if arn.startswith("arn:aws:iam::")}
    if not wanted and not tagged:
        return Named()
    found = _NAMED.rows(
        account_id=account_id,
        owners=sorted({owner.partition("/")[2] for owner, _, _ in wanted}),
        names=sorted({source if owner else source.rpartition("/")[2] for owner, source, _ in wanted}),
        digests=sorted({digest for _, _, digest in wanted}),
        ids=sorted(trust.ids_in([trust_document])),
        tagged=sorted({arn.rpartition("/")[2] for arn in tagged}),
    )
    texts = {key: text for key, text in _keyed(found) if key in wanted}
    for key in [key for key in texts if key[1] == TRUST]:
        known = texts[key] == trust_document
        shown = trust.shown_with([trust_document], trust.arns_of(found)) if known else [trust.shown_trust(texts[key])]
        (texts[key],) = shown
    return Named(texts, _keys_by_arn(account_id, found))


def _keys_by_arn(account_id: str, found: Mapping[str, Rows]) -> dict[str, dict[str, str]]:
    keys: dict[str, dict[str, str]] = {}
    for kind, (_, _, arn_of, keys_of) in _TAGGED.items():
        for path, name, key, value in found[kind]:
            keys.setdefault(arn_of(account_id, path, name), {}).update(keys_of({key: value}))
    return keys


def trust_of_resource() -> Subquery:
    """Of an event about a role of the account, the role's trust policy."""
    arn = Concat(Value("arn:aws:iam::"), "account_id", Value(":role"), "path", "name", output_field=TextField())
    roles = Role.objects.filter(Exact(arn, OuterRef("resource")), account_id=OuterRef("account_id"))
    return Subquery(roles.values("document")[:1])


def _keyed(found: Mapping[str, Rows]) -> Iterable[tuple[Key, str]]:
    for account_id, path, name, digest, text in found["managed"]:
        yield ("", policy_arn(account_id, path, name), digest), text
    for kind in _INLINE:
        for owner, name, digest, text in found[kind]:
            yield (f"{kind}/{owner}", name, digest), text
    for owner, digest, text in found["trust"]:
        yield (f"role/{owner}", TRUST, digest), text


def _managed() -> QuerySet[Any, Any]:
    visible = Q(policy__account_id=_ACCOUNT) | Q(policy__account_id=None)
    rows = PolicyVersion.objects.filter(_DIGEST, visible, AnyOf("policy__name", Param("names")))
    return rows.values_list("policy__account_id", "policy__path", "policy__name", "digest", "document")


def _inline(model: type[Any], kind: str) -> Build:
    rows = model.objects.filter(
        _DIGEST,
        AnyOf(f"{kind}__name", Param("owners")),
        AnyOf("name", Param("names")),
        **{f"{kind}__account_id": _ACCOUNT},
    )
    return lambda: rows.values_list(f"{kind}__name", "name", "digest", "document")


def _trust() -> QuerySet[Any, Any]:
    rows = Role.objects.filter(_DIGEST, AnyOf("name", Param("owners")), account_id=_ACCOUNT)
    return rows.values_list("name", "digest", "document")


_INLINE = {
    "user": _inline(UserInlinePolicy, "user"),
    "group": _inline(GroupInlinePolicy, "group"),
    "role": _inline(RoleInlinePolicy, "role"),
}
_TAGGED = {
    "user_tags": (UserTag, "user", user_arn, iam_resource_tag_keys),
    "role_tags": (RoleTag, "role", role_arn, iam_resource_tag_keys),
    "policy_tags": (PolicyTag, "bearer", policy_arn, resource_tag_keys),
}


def _tags(model: type[Any], bearer: str) -> Build:
    rows = model.objects.filter(AnyOf(f"{bearer}__name", Param("tagged")), **{f"{bearer}__account_id": _ACCOUNT})
    return lambda: rows.values_list(f"{bearer}__path", f"{bearer}__name", "key", "value")


_NAMED = QueryBatch(
    {
        "managed": _managed,
        **_INLINE,
        "trust": _trust,
        **trust.BY_ID,
        **{kind: _tags(model, bearer) for kind, (model, bearer, *_) in _TAGGED.items()},
    }
)
