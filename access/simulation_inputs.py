"""What a simulation is given, read and checked: whose policies, documents, values of condition keys."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.models import Value

from access.policy_rows import texts_of
from audit.errors import InvalidInput, NoSuchEntity
from audit.http import Gate
from audit.principal import Origin, Principal
from database.prefetch import related_rows
from identities.models import Group, GroupAttachment, GroupInlinePolicy, Role, User
from identities.reading import read_named_role, read_user_with_password_policy
from identities.resource_tags import keys_of
from policies.compiled import compiled_documents
from policies.engine import AttachedPolicy, DocumentError, DocumentKind, PolicySet, literals, parse
from policies.models import document_digest, policy_arn

SESSION_NAME = "simulation"
Source = User | Group | Role
_SEEING: Mapping[type, str] = {User: "iam:GetUser", Role: "iam:GetRole"}


@dataclass(frozen=True, slots=True)
class Named:
    """An ARN of this account's identities, taken apart; `row` is None when there is no such entity."""

    kind: str
    name: str
    arn: str
    row: Source | None


def find_source(account_id: str, arn: str) -> Named:
    """The user, group or role of an ARN, which is compared exactly. Raises InvalidInput for what is no such ARN."""
    fields = arn.split(":", 5)
    kind, _, path = fields[-1].partition("/")
    if fields[:4] != ["arn", "aws", "iam", ""] or len(fields) != 6 or kind not in _READERS or not path:
        raise InvalidInput(f"Invalid Entity Arn: {arn} is not the ARN of a user, group or role.")
    name = path.rpartition("/")[2]
    row = _READERS[kind](account_id, name)
    return Named(kind, name, arn, row if row is not None and row.arn == arn else None)


def _read_group(account_id: str, name: str) -> Group | None:
    return Group.objects.filter(account_id=account_id, name_key=name.lower()).first()


_READERS: Mapping[str, Callable[[str, str], Source | None]] = {
    "user": read_user_with_password_policy,
    "group": _read_group,
    "role": read_named_role,
}


def found(named: Named) -> Source:
    """The entity itself. Raises NoSuchEntity."""
    if named.row is None:
        raise NoSuchEntity(f"The {named.kind} with name {named.name} cannot be found.")
    return named.row


class Asker(Protocol):
    """Who wants to know: a call or a request."""

    @property
    def principal(self) -> Principal: ...

    @property
    def gate(self) -> Gate: ...


def principal_for(row: Source, by: Asker) -> Principal | None:
    """Who would ask: a user, or a session of a role. A group is nobody. Its tags count for an asker who may see them:
    else a few questions, each with a limit that is brought along, would find them out."""
    if isinstance(row, Group):
        return None
    is_own = by.principal.unique_id == row.unique_id
    seeing = _SEEING[type(row)]
    sees = is_own or by.gate.may(seeing, row.arn, keys_of(row, seeing)).allowed
    tags = {tag.key: tag.value for tag in related_rows(row, "tags")} if sees else {}
    if isinstance(row, User):
        return Principal(row.account_id, "user", row.arn, row.unique_id, row.name, tags)
    arn = f"arn:aws:sts::{row.account_id}:assumed-role/{row.name}/{SESSION_NAME}"
    return Principal(
        row.account_id,
        "role-session",
        arn,
        f"{row.unique_id}:{SESSION_NAME}",
        SESSION_NAME,
        tags,
        issuer_arn=row.arn,
        issuer_id=row.unique_id,
        origin=Origin(),
    )


def may_change_own_password(row: Source) -> bool | None:
    """What the account's password policy says of a user; None of others, of whom it says nothing."""
    if not isinstance(row, User):
        return None
    policy = getattr(row.account, "password_policy", None)
    return policy is not None and policy.allow_users_to_change_password


def caller_of(arn: str) -> Principal:
    """A user by ARN alone, who need not be there: what a simulation says must not tell. Raises InvalidInput."""
    fields = arn.split(":", 5)
    kind, _, path = fields[-1].partition("/")
    if len(fields) != 6 or fields[:3] != ["arn", "aws", "iam"] or not fields[4].isdigit() or kind != "user" or not path:
        raise InvalidInput(f"CallerArn {arn} must be the ARN of an IAM user.")
    return Principal(fields[4], "user", arn, "", path.rpartition("/")[2])


def policies_of_group(group: Group) -> PolicySet:
    """What a group gives its members."""
    attached = GroupAttachment.objects.filter(group=group, policy__versions__is_default=True)
    managed = attached.values_list(
        Value(True), "policy__account_id", "policy__path", "policy__name", "policy__versions__digest"
    )
    inline = GroupInlinePolicy.objects.filter(group=group).values_list(
        Value(False), Value(""), Value(""), "name", "digest"
    )
    rows = [
        (policy_arn(account_id, path, name) if is_managed else name, digest)
        for is_managed, account_id, path, name, digest in managed.union(inline, all=True)
    ]
    documents = compiled_documents.get_many((digest for _, digest in rows), texts_of)
    return PolicySet(
        identity=tuple(AttachedPolicy(name, group.arn, documents[digest], digest) for name, digest in rows)
    )


def document(text: str, name: str, kinds: Sequence[DocumentKind] = ("identity",)) -> AttachedPolicy:
    """A document that somebody brought. Raises InvalidInput, which names it and what is wrong first."""
    error: DocumentError | None = None
    for kind in kinds:
        try:
            return AttachedPolicy(name, "", parse(text, kind), document_digest(text))
        except DocumentError as exc:
            error = error or exc
    finding = next(each for each in error.findings if each.severity == "error") if error else None
    where = f", line {finding.line}: {finding.message}" if finding else ""
    raise InvalidInput(f"The policy {name} can't be read{where}")


def owner_account(text: str) -> str:
    """The account that ResourceOwner names, by id or by the ARN of its root. Raises InvalidInput."""
    fields = text.split(":", 5)
    account = fields[4] if len(fields) == 6 and fields[5] == "root" else text
    if len(account) != 12 or not account.isascii() or not account.isdigit():
        raise InvalidInput(f"ResourceOwner {text} must be the ARN of an account.")
    return account


# As long as the name of a resource may be: thousands of patterns are compared with it in milliseconds.
LONGEST_VALUE = 2048
_CHECKS: Mapping[str, Callable[[str], object]] = {
    "numeric": literals.number,
    "boolean": literals.boolean,
    "ip": literals.network,
    "binary": literals.binary,
    "date": literals.instant,
}


def context_entry(name: str, values: Iterable[str], kind: str) -> tuple[str, tuple[str, ...]]:
    """One condition key with its values. Raises InvalidInput for values that are not of the kind that is said, or too
    long."""
    given = tuple(values)
    if any(len(value) > LONGEST_VALUE for value in given):
        raise InvalidInput(f"The context key {name} has a value of more than {LONGEST_VALUE} characters.")
    base = kind.removesuffix("List")
    if base == kind and len(given) != 1:
        raise InvalidInput(f"The context key {name} is a {kind}, so it has exactly one value; {len(given)} were given.")
    check = _CHECKS.get(base)
    wrong = next((value for value in given if check and check(value) is None), None)
    if wrong is not None:
        raise InvalidInput(f"The value {wrong} of the context key {name} is no {base}.")
    return name, given


def one_by_one(entries: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Entries as a table. Raises InvalidInput for a key that comes twice."""
    table: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    for key, values in entries:
        if key.lower() in seen:
            raise InvalidInput(f"The context key {key} was given more than once.")
        seen.add(key.lower())
        table[key] = values
    return table
