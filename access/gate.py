"""The one gate: every page and every API call is decided by `authorize`, from the caller's policies as they are now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from access.policy_rows import PolicyRow, policy_rows, texts_of
from accounts.models import PasswordPolicy
from audit import clock, decisions
from audit.errors import AccessDenied
from audit.principal import Principal
from policies.compiled import compile_text, compiled_documents
from policies.engine import (
    AttachedPolicy,
    Decision,
    Document,
    PolicySet,
    Request,
    RequestPrincipal,
    evaluate,
    might_allow,
)
from policies.models import document_digest

Context = Mapping[str, str | Iterable[str]]
# What a role's trust policy is called among the policies that decide; no policy can have this name.
TRUST = "trust policy"

# AllowUsersToChangePassword grants these at account level and attaches nothing (UpdateAccountPasswordPolicy).
_OWN_PASSWORD_ACTIONS = {"iam:ChangePassword", "iam:GetAccountPasswordPolicy"}
_OWN_PASSWORD_POLICY = compile_text(
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ChangePassword",'
    '"Resource":["arn:aws:iam::*:user/${aws:username}","arn:aws:iam::*:user/*/${aws:username}"]},'
    '{"Effect":"Allow","Action":"iam:GetAccountPasswordPolicy","Resource":"*"}]}'
)
_MFA_WORDS = {True: "true", False: "false", None: ""}
# What stands for the policies of a federated user whom root made a session for.
_EVERYTHING = compile_text('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}')
_PRINCIPAL_TYPES = {"root": "Account", "user": "User", "federated-user": "FederatedUser", "role-session": "AssumedRole"}


def authorize(
    principal: Principal, action: str, resource: str, context: Context | None = None, *, explain: bool = False
) -> Decision:
    """Decide one action on one ARN for a principal. Asks the database afresh; never raises for a refusal."""
    return PrincipalGate(principal).decide(action, resource, context, explain=explain)


@dataclass(slots=True)
class PrincipalGate:
    """The gate for one request of one principal: its policies are read once, at the first question, or with the key
    that signed the request. `may_change_own_password` is what the account's password policy says of it, None while
    nobody has read it."""

    principal: Principal
    _rows: tuple[PolicyRow, ...] | None = None
    _policies: PolicySet | None = None
    may_change_own_password: bool | None = None

    def note_password_policy(self, policy: PasswordPolicy | None) -> None:
        """The account's, if somebody has read it for something else."""
        self.may_change_own_password = policy is not None and policy.allow_users_to_change_password

    def decide(
        self,
        action: str,
        resource: str,
        context: Context | None = None,
        *,
        explain: bool = False,
        resource_policy: AttachedPolicy | None = None,
    ) -> Decision:
        """`resource_policy` is the policy of what is acted on, such as a role's trust policy."""
        policies = self.policies_for(action)
        if resource_policy is not None:
            policies = compiled_documents.shared(replace(policies, resource=resource_policy))
        decision = evaluate(self.question(action, resource, context), policies, explain=explain)
        if decision.allowed:
            decisions.note(action, resource, decision, policies)
        return decision

    def question(self, action: str, resource: str, context: Context | None = None) -> Request:
        """What the engine is asked for this principal."""
        return Request(
            action=action,
            resource=resource,
            context={**global_context(self.principal), **normalised(context or {})},
            principal=request_principal(self.principal),
            resource_account=_account_of(resource) or self.principal.account_id,
        )

    def may(self, action: str, resource: str, context: Context | None = None) -> Decision:
        return self.decide(action, resource, context)

    def require(self, action: str, resource: str, context: Context | None = None, *, asked: str = "") -> None:
        decision = self.decide(action, resource, context)
        if not decision.allowed:
            arn = self.principal.arn
            raise AccessDenied(arn, action, asked or resource, decision, decided_on=resource, context=context)

    def might(self, action: str) -> bool:
        return self.principal.is_root or might_allow(action, self.policies_for(action))

    def policies_for(self, action: str) -> PolicySet:
        """The policies that have a say about an action, read once."""
        if self._policies is None:
            self._policies = load_policy_set(self.principal, self._rows)
        if action in _OWN_PASSWORD_ACTIONS and self.principal.type == "user":
            return self._with_own_password_policy(self._policies)
        return self._policies

    def _with_own_password_policy(self, policies: PolicySet) -> PolicySet:
        if self.may_change_own_password is None:
            self.note_password_policy(PasswordPolicy.objects.filter(account_id=self.principal.account_id).first())
        if not self.may_change_own_password:
            return policies
        granted = AttachedPolicy("account password policy", self.principal.arn, _OWN_PASSWORD_POLICY)
        return replace(policies, identity=(*policies.identity, granted))


def request_principal(principal: Principal) -> RequestPrincipal:
    """A federated user is known to the engine by the id of the user behind it."""
    is_federated = principal.type == "federated-user"
    return RequestPrincipal(
        arn=principal.arn,
        account_id=principal.account_id,
        type=principal.type,
        unique_id=f"{principal.issuer_id}:{principal.name}" if is_federated else principal.unique_id,
        issuer_arn=principal.issuer_arn,
    )


def global_context(principal: Principal) -> dict[str, tuple[str, ...]]:
    """The global condition keys that every request has; a fact that is absent has no key."""
    now = clock.now()
    facts = {
        # Of a role's session the role, so that a condition holds for all its sessions.
        "aws:PrincipalArn": principal.issuer_arn if principal.type == "role-session" else principal.arn,
        "aws:PrincipalAccount": principal.account_id,
        "aws:PrincipalType": _PRINCIPAL_TYPES.get(principal.type, "Anonymous"),
        "aws:userid": principal.unique_id,
        "aws:username": principal.name if principal.type == "user" else "",
        "aws:SourceIp": principal.origin.address,
        "aws:UserAgent": principal.origin.user_agent,
        "aws:SecureTransport": "true" if principal.origin.secure else "false",
        "aws:CurrentTime": f"{now.isoformat()[:19]}Z",
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:SourceIdentity": principal.source_identity,
        "aws:FederatedProvider": principal.federated_provider,
        "aws:MultiFactorAuthPresent": _MFA_WORDS[principal.mfa],
        "aws:MultiFactorAuthAge": str(int((now - principal.mfa_at).total_seconds())) if principal.mfa_at else "",
        "aws:TokenIssueTime": principal.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ") if principal.issued_at else "",
    }
    context: dict[str, tuple[str, ...]] = {key: (value,) for key, value in facts.items() if value}
    context.update({f"aws:PrincipalTag/{key}": (value,) for key, value in principal.tags.items()})
    return context


def outsider_context(principal: Principal) -> dict[str, tuple[str, ...]]:
    """The global condition keys of a request by somebody who is no principal of any account: those of the principal are
    left out."""
    facts = global_context(principal)
    return {key: values for key, values in facts.items() if not key.startswith(("aws:Principal", "aws:userid"))}


def normalised(context: Context) -> dict[str, tuple[str, ...]]:
    """Every value as the tuple that the engine takes."""
    return {key: (value,) if isinstance(value, str) else tuple(value) for key, value in context.items()}


def _account_of(resource: str) -> str:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def load_policy_set(principal: Principal, rows: tuple[PolicyRow, ...] | None = None) -> PolicySet:
    """All policies of a user with its groups, or of the role behind a session; boundary and session policies with
    them. One query, if `rows` were not read before; texts only of documents not yet compiled."""
    rows = _policy_rows(principal) if rows is None else rows
    # Where nothing else has a say, the same rows lead to what was compiled for them before.
    key = rows if principal.type in ("user", "role-session") and principal.session_policies is None else None
    known = None if key is None else compiled_documents.cached_set(key)
    return known or compiled_documents.shared(_policy_set(principal, rows), key)


def _policy_rows(principal: Principal) -> tuple[PolicyRow, ...]:
    issuer, session = _issuer(principal), principal.session_policies
    if issuer is None and not (session and session.managed):
        return ()
    return tuple(policy_rows(issuer or "", principal.account_id, session.managed if session else ()))


def _policy_set(principal: Principal, rows: tuple[PolicyRow, ...]) -> PolicySet:
    session = principal.session_policies
    given = {document_digest(session.document): session.document} if session and session.document else {}
    digests = {*given, *(row.digest for row in rows)}
    documents = compiled_documents.get_many(digests, lambda wanted: texts_of(wanted - given.keys()) | given)
    attached = [(row.layer, AttachedPolicy(row.source, row.origin, documents[row.digest], row.digest)) for row in rows]
    return PolicySet(
        identity=(*(policy for layer, policy in attached if layer == "identity"), *_of_root(principal)),
        boundary=next((policy for layer, policy in attached if layer == "boundary"), None),
        session=_session_layer(principal, attached, {digest: documents[digest] for digest in given}),
    )


def _issuer(principal: Principal) -> str | None:
    """The unique id of the user or role whose policies count; None for root, whom none limit, and for strangers."""
    if principal.type == "user":
        return principal.unique_id
    if principal.type in ("role-session", "federated-user") and principal.issuer_id != principal.account_id:
        return principal.issuer_id
    return None


def _of_root(principal: Principal) -> tuple[AttachedPolicy, ...]:
    if principal.type == "federated-user" and principal.issuer_id == principal.account_id:
        return (AttachedPolicy("root user", principal.issuer_arn, _EVERYTHING),)
    return ()


def _session_layer(
    principal: Principal, attached: Iterable[tuple[str, AttachedPolicy]], given: Mapping[str, Document]
) -> tuple[AttachedPolicy, ...] | None:
    """None where no session policy was given; a federated user without one may do nothing."""
    if principal.session_policies is None and principal.type != "federated-user":
        return None
    inline = (AttachedPolicy("session policy", principal.arn, document, digest) for digest, document in given.items())
    managed = (replace(policy, origin=principal.arn) for layer, policy in attached if layer == "session")
    return (*inline, *managed)
