"""The one gate: every page and every API call is decided by `authorize`, from the caller's policies as they are now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from accounts.models import PasswordPolicy
from audit import clock
from audit.errors import AccessDenied
from audit.principal import Principal
from identities.models import GroupAttachment, GroupInlinePolicy, User, UserAttachment, UserInlinePolicy
from identities.models.groups import group_arn
from identities.models.users import user_arn
from policies.compiled import compile_text, compiled_documents
from policies.engine import AttachedPolicy, Decision, PolicySet, Request, RequestPrincipal, evaluate, might_allow
from policies.models import PolicyVersion, policy_arn

Context = Mapping[str, str | Iterable[str]]

# AllowUsersToChangePassword grants these at account level and attaches nothing (UpdateAccountPasswordPolicy).
_OWN_PASSWORD_ACTIONS = {"iam:ChangePassword", "iam:GetAccountPasswordPolicy"}
_OWN_PASSWORD_POLICY = compile_text(
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ChangePassword",'
    '"Resource":["arn:aws:iam::*:user/${aws:username}","arn:aws:iam::*:user/*/${aws:username}"]},'
    '{"Effect":"Allow","Action":"iam:GetAccountPasswordPolicy","Resource":"*"}]}'
)
_MFA_WORDS = {True: "true", False: "false", None: ""}
# Stands for the caller in the one statement that reads policies; never a unique id, which has no colon.
_CALLER = "caller:"


def authorize(
    principal: Principal, action: str, resource: str, context: Context | None = None, *, explain: bool = False
) -> Decision:
    """Decide one action on one ARN for a principal. Asks the database afresh; never raises for a refusal."""
    return PrincipalGate(principal).decide(action, resource, context, explain=explain)


@dataclass(slots=True)
class PrincipalGate:
    """The gate for one request of one principal: its policies are read once, at the first question."""

    principal: Principal
    _policies: PolicySet | None = None

    def decide(self, action: str, resource: str, context: Context | None = None, *, explain: bool = False) -> Decision:
        request = Request(
            action=action,
            resource=resource,
            context={**global_context(self.principal), **_normalised(context or {})},
            principal=request_principal(self.principal),
            resource_account=_account_of(resource) or self.principal.account_id,
        )
        return evaluate(request, self._policies_for(action), explain=explain)

    def may(self, action: str, resource: str, context: Context | None = None) -> Decision:
        return self.decide(action, resource, context)

    def require(self, action: str, resource: str, context: Context | None = None) -> None:
        decision = self.decide(action, resource, context)
        if not decision.allowed:
            raise AccessDenied(self.principal.arn, action, resource, decision)

    def might(self, action: str) -> bool:
        return self.principal.is_root or might_allow(action, self._policies_for(action))

    def _policies_for(self, action: str) -> PolicySet:
        if self._policies is None:
            self._policies = load_policy_set(self.principal)
        if action in _OWN_PASSWORD_ACTIONS and self.principal.type == "user":
            return _with_own_password_policy(self.principal, self._policies)
        return self._policies


def request_principal(principal: Principal) -> RequestPrincipal:
    return RequestPrincipal(
        arn=principal.arn,
        account_id=principal.account_id,
        type=principal.type,
        unique_id=principal.unique_id,
    )


def global_context(principal: Principal) -> dict[str, tuple[str, ...]]:
    """The global condition keys that every request has; a fact that is absent has no key."""
    now = clock.now()
    facts = {
        "aws:PrincipalArn": principal.arn,
        "aws:PrincipalAccount": principal.account_id,
        "aws:PrincipalType": {"root": "Account", "user": "User"}.get(principal.type, "AssumedRole"),
        "aws:userid": principal.unique_id,
        "aws:username": principal.name if principal.type == "user" else "",
        "aws:SourceIp": principal.origin.address,
        "aws:UserAgent": principal.origin.user_agent,
        "aws:SecureTransport": "true" if principal.origin.secure else "false",
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:SourceIdentity": principal.source_identity,
        "aws:MultiFactorAuthPresent": _MFA_WORDS[principal.mfa],
        "aws:MultiFactorAuthAge": str(int((now - principal.mfa_at).total_seconds())) if principal.mfa_at else "",
        "aws:TokenIssueTime": principal.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ") if principal.issued_at else "",
    }
    context: dict[str, tuple[str, ...]] = {key: (value,) for key, value in facts.items() if value}
    context.update({f"aws:PrincipalTag/{key}": (value,) for key, value in principal.tags.items()})
    return context


def _normalised(context: Context) -> dict[str, tuple[str, ...]]:
    return {key: (value,) if isinstance(value, str) else tuple(value) for key, value in context.items()}


def _account_of(resource: str) -> str:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def load_policy_set(principal: Principal) -> PolicySet:
    """All policies of a user, its groups and its boundary, in one query; texts only of documents not yet compiled."""
    if principal.type != "user":
        return PolicySet()
    rows = _policy_rows(principal.unique_id)
    documents = compiled_documents.get_many((row[-1] for row in rows), _load_texts)
    attached = [
        (
            layer,
            AttachedPolicy(
                source=policy_arn(account or None, path, name) if path else name,
                origin=(group_arn if kind == "group" else user_arn)(principal.account_id, owner_path, owner_name),
                document=documents[digest],
            ),
        )
        for layer, kind, owner_path, owner_name, account, path, name, digest in rows
    ]
    return PolicySet(
        identity=tuple(policy for layer, policy in attached if layer == "identity"),
        boundary=next((policy for layer, policy in attached if layer == "boundary"), None),
    )


Row = tuple[str, str, str, str, str, str, str, str]


def _policy_rows(unique_id: str) -> list[Row]:
    """(layer, owner kind, owner path, owner name, policy account, policy path, policy name, digest) of each document;
    an inline policy has no path."""
    sql, parameters = _policy_query(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, [unique_id if value == _CALLER else value for value in parameters])
        rows: list[Row] = cursor.fetchall()
    return rows


@cache
def _policy_query(vendor: str) -> tuple[str, tuple[Any, ...]]:
    """The statement, written by the ORM once per process: writing it anew cost ten times as much as running it."""
    in_group = {"group__memberships__user__unique_id": _CALLER}
    default = {"policy__versions__is_default": True}
    queries = [
        _attached(UserAttachment.objects.filter(user__unique_id=_CALLER, **default), "user"),
        _attached(GroupAttachment.objects.filter(**in_group, **default), "group"),
        _inline(UserInlinePolicy.objects.filter(user__unique_id=_CALLER), "user"),
        _inline(GroupInlinePolicy.objects.filter(**in_group), "group"),
        _boundary(User.objects.filter(unique_id=_CALLER, boundary__isnull=False)),
    ]
    return queries[0].union(*queries[1:], all=True).query.sql_with_params()


def _attached(rows: QuerySet[Any], kind: str) -> QuerySet[Any, Any]:
    return rows.values_list(
        Value("identity"),
        Value(kind),
        f"{kind}__path",
        f"{kind}__name",
        Concat("policy__account_id", Value("")),
        "policy__path",
        "policy__name",
        "policy__versions__digest",
    )


def _inline(rows: QuerySet[Any], kind: str) -> QuerySet[Any, Any]:
    return rows.values_list(
        Value("identity"), Value(kind), f"{kind}__path", f"{kind}__name", Value(""), Value(""), F("name"), F("digest")
    )


def _boundary(users: QuerySet[User]) -> QuerySet[Any, Any]:
    """A boundary whose document can't be found limits to nothing: its row is there, and its digest is unknown."""
    document = PolicyVersion.objects.filter(policy=OuterRef("boundary"), is_default=True).values("digest")[:1]
    return users.values_list(
        Value("boundary"),
        Value("user"),
        "path",
        "name",
        Concat("boundary__account_id", Value("")),
        "boundary__path",
        "boundary__name",
        Coalesce(Subquery(document), Value("")),
    )


def _load_texts(digests: set[str]) -> dict[str, str]:
    models = (PolicyVersion, UserInlinePolicy, GroupInlinePolicy)
    return {
        digest: text
        for model in models
        for digest, text in model.objects.filter(digest__in=digests).values_list("digest", "document")
    }


def _with_own_password_policy(principal: Principal, policies: PolicySet) -> PolicySet:
    allowed = PasswordPolicy.objects.filter(account_id=principal.account_id, allow_users_to_change_password=True)
    if not allowed.exists():
        return policies
    granted = AttachedPolicy("account password policy", principal.arn, _OWN_PASSWORD_POLICY)
    return PolicySet(identity=(*policies.identity, granted), boundary=policies.boundary, session=policies.session)
