"""The texts of the policies that an explanation names, as they were when they decided: all of them in one question."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Concat
from django.db.models.lookups import Exact

from access.gate import TRUST
from audit.prepared import Given
from audit.together import AnyOf, Build, Rows, Together
from identities.models import GroupInlinePolicy, Role, RoleInlinePolicy, UserInlinePolicy
from identities.services import trust
from policies.models import PolicyVersion, policy_arn

# Whose policy, which one, and the digest of its text.
Key = tuple[str, str, str]

_ACCOUNT, _DIGEST = Given("account_id"), AnyOf("digest", Given("digests"))


def key_of(policy: Mapping[str, str]) -> Key:
    """By which a policy of an explanation is found. Of one that is attached its ARN is enough."""
    source, digest = policy["source"], policy["digest"]
    if source.startswith("arn:"):
        return "", source, digest
    kind, _, path = policy["origin"].rpartition(":")[2].partition("/")
    return f"{kind}/{path.rpartition('/')[2]}", source, digest


def texts_of(account_id: str, policies: Iterable[Mapping[str, str]], trust_document: str = "") -> dict[Key, str]:
    """The texts that are still there. Of a trust policy that is known beforehand (`trust_document`), whom it names is
    looked up in the same question."""
    wanted = {key_of(policy) for policy in policies}
    if not wanted:
        return {}
    found = _TEXTS.rows(
        account_id=account_id,
        owners=sorted({owner.partition("/")[2] for owner, _, _ in wanted}),
        names=sorted({source if owner else source.rpartition("/")[2] for owner, source, _ in wanted}),
        digests=sorted({digest for _, _, digest in wanted}),
        ids=sorted(trust.ids_in([trust_document])),
    )
    texts = {key: text for key, text in _keyed(found) if key in wanted}
    for key in [key for key in texts if key[1] == TRUST]:
        known = texts[key] == trust_document
        shown = trust.shown_with([trust_document], trust.arns_of(found)) if known else [trust.shown_trust(texts[key])]
        (texts[key],) = shown
    return texts


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
    rows = PolicyVersion.objects.filter(_DIGEST, visible, AnyOf("policy__name", Given("names")))
    return rows.values_list("policy__account_id", "policy__path", "policy__name", "digest", "document")


def _inline(model: type[Any], kind: str) -> Build:
    rows = model.objects.filter(
        _DIGEST,
        AnyOf(f"{kind}__name", Given("owners")),
        AnyOf("name", Given("names")),
        **{f"{kind}__account_id": _ACCOUNT},
    )
    return lambda: rows.values_list(f"{kind}__name", "name", "digest", "document")


def _trust() -> QuerySet[Any, Any]:
    rows = Role.objects.filter(_DIGEST, AnyOf("name", Given("owners")), account_id=_ACCOUNT)
    return rows.values_list("name", "digest", "document")


_INLINE = {
    "user": _inline(UserInlinePolicy, "user"),
    "group": _inline(GroupInlinePolicy, "group"),
    "role": _inline(RoleInlinePolicy, "role"),
}
_TEXTS = Together({"managed": _managed, **_INLINE, "trust": _trust, **trust.BY_ID})
