"""Trust policies: who may take on a role. Users and roles are stored by unique id and shown by name.

A document that named them by ARN would let in whoever gets the name next. So a saved document holds ids in the places
of the ARNs, otherwise as it was given; what is read holds the present ARNs, and the bare id of what is gone.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from django.db.models import Value

from accounts.models import Account
from audit.errors import LimitExceeded
from identities.models import Role, User
from identities.models.roles import role_arn
from identities.models.users import user_arn
from policies.documents import DocumentRefused, check_document
from policies.engine import size
from policies.engine.findings import DocumentError, Finding
from policies.engine.reader import Node, Positions, read

_ARNS = {"User": user_arn, "Role": role_arn}
_NAMED = re.compile(r"arn:aws:iam::(\d{12}):(user|role)(/(?:[!-~]+/)?)([\w+=,.@-]+)", re.ASCII)
_OF_ACCOUNT = re.compile(r"arn:aws:(?:iam|sts)::(\d{12}):.+", re.ASCII)
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")


def checked_trust(text: str, account: Account) -> str:
    """The document as it is stored. Raises DocumentRefused, also for a principal that is not there, and
    LimitExceeded."""
    check_document(text, "trust")
    limit = account.quota("trust_policy_characters")
    if size(text) > limit:
        raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {limit}", field="document")
    named = [node.text for node in principal_nodes(text)]
    ids = _ids_of(named)
    _refuse_missing(text, ids)
    return _rewritten(text, lambda name: f"arn:aws:iam::{name}:root" if _ACCOUNT_ID.fullmatch(name) else ids[name])


def shown_trust(text: str) -> str:
    """A stored document with the present ARNs of the users and roles that it lets in."""
    return shown_trusts([text])[0]


def shown_trusts(texts: Iterable[str]) -> list[str]:
    """As `shown_trust` for a whole list, in one query."""
    texts = list(texts)
    named = {node.text for text in texts for node in principal_nodes(text)}
    arns = _arns_of({name for name in named if _UNIQUE_ID.fullmatch(name)})
    return [_rewritten(text, lambda name: arns.get(name, name)) for text in texts]


def principal_nodes(text: str) -> Iterator[Node]:
    """The strings of a readable document that name AWS principals, where they stand."""
    try:
        root = read(text)
    except DocumentError:
        return
    for statement in _items(_member(root, "Statement")):
        for element in ("Principal", "NotPrincipal"):
            node = _member(statement, element)
            # A name that stands alone means the same as under AWS.
            named = node if node and node.kind == "string" else _member(node, "AWS")
            yield from (item for item in _items(named) if item.kind == "string")


def _member(node: Node | None, name: str) -> Node | None:
    return next((value for key, value in node.members if key.text == name), None) if node else None


def _items(node: Node | None) -> Sequence[Node]:
    if node is None:
        return ()
    return node.items if node.kind == "array" else [node]


def _rewritten(text: str, replacement: Callable[[str], str]) -> str:
    """The text with other principals in the same places."""
    pieces, at = [], 0
    for node in sorted(principal_nodes(text), key=lambda node: node.start):
        pieces += [text[at : node.start], json.dumps(replacement(node.text))]
        at = node.end
    return "".join((*pieces, text[at:]))


def _ids_of(names: Iterable[str]) -> dict[str, str]:
    """What is stored for each name; one that is not there is missing in the answer."""
    found: dict[str, str] = {}
    names = set(names)
    arns = {name: match for name in names if (match := _NAMED.fullmatch(name))}
    users = _rows(User, [match.group(1, 4) for match in arns.values() if match[2] == "user"])
    roles = _rows(Role, [match.group(1, 4) for match in arns.values() if match[2] == "role"])
    by_arn = {row.arn: row.unique_id for row in (*users, *roles)}
    ids = {name for name in names if _UNIQUE_ID.fullmatch(name)}
    accounts = _accounts(names - arns.keys() - ids)
    for name in names:
        if name in arns:
            found |= {name: by_arn[name]} if name in by_arn else {}
        elif name in ids or _account_of(name) in accounts or name == "*":
            found[name] = name
    present = _arns_of(ids)
    return {name: stored for name, stored in found.items() if name not in ids or name in present}


def _rows(model: type[User] | type[Role], wanted: list[tuple[str, ...]]) -> list[User | Role]:
    accounts, keys = {account for account, _ in wanted}, {name.lower() for _, name in wanted}
    return list(model._default_manager.filter(account__in=accounts, name_key__in=keys)) if wanted else []


def _account_of(name: str) -> str:
    found = _OF_ACCOUNT.fullmatch(name)
    return found[1] if found else name


def _accounts(names: Iterable[str]) -> set[str]:
    wanted = {_account_of(name) for name in names}
    return set(Account.objects.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()


def _arns_of(ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    users, roles = (
        model._default_manager.filter(unique_id__in=ids).values_list(
            Value(model.__name__), "unique_id", "account_id", "path", "name"
        )
        for model in (User, Role)
    )
    return {unique_id: _ARNS[kind](*place) for kind, unique_id, *place in users.union(roles, all=True)}


def _refuse_missing(text: str, known: Mapping[str, str]) -> None:
    for node in principal_nodes(text):
        if node.text not in known:
            line, column = Positions(text).line_and_column(node.start)
            message = f"“{node.text}” is no user, role or account of this server."
            hint = "Write the ARN as its page shows it; letters count in their case."
            finding = Finding("error", "PRINCIPAL_NOT_FOUND", message, hint, line, column, node.text)
            raise DocumentRefused(f'Invalid principal in policy: "AWS":"{node.text}"', findings=(finding,))
