"""Trust policies: who may take on a role. Users and roles are stored by unique id and shown by name.

A document that named them by ARN would let in whoever gets the name next. So a saved document holds ids in the places
of the ARNs, otherwise as it was given; what is read holds the present ARNs, and the bare id of what is gone.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet, Value

from accounts.models import Account
from audit.errors import LimitExceeded
from database.batch import AnyOf, QueryBatch
from database.prepared import Param
from identities.models import Role, User
from identities.models.roles import role_arn
from identities.models.users import user_arn
from policies.documents import DocumentRefused, check_document
from policies.engine import size
from policies.engine.findings import DocumentError, Finding
from policies.engine.reader import Node, Positions, read

_ARNS = {"User": user_arn, "Role": role_arn}
_PLACE = ("unique_id", "account_id", "path", "name")
_NAMED = re.compile(r"arn:aws:iam::(\d{12}):(user|role)(/(?:[!-~]+/)?)([\w+=,.@-]+)", re.ASCII)
_OF_ACCOUNT = re.compile(r"arn:aws:(?:iam|sts)::(\d{12}):.+", re.ASCII)
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")


@dataclass(frozen=True, slots=True)
class CheckedTrust:
    """A document that may be stored, with the id behind each name in it and the ARN behind each id."""

    given: str
    ids: Mapping[str, str]
    arns: Mapping[str, str]

    @property
    def stored(self) -> str:
        return _rewritten(self.given, lambda name: _whole(name) or self.ids[name])

    @property
    def shown(self) -> str:
        """What `shown_trust` says of it once it is stored."""
        return _rewritten(self.given, lambda name: _whole(name) or self.arns.get(name, name))


def checked_trust(text: str, account: Account) -> CheckedTrust:
    """The document with what it names. Raises DocumentRefused, also for a principal that is not there, and
    LimitExceeded."""
    check_document(text, "trust")
    limit = account.quota("trust_policy_characters")
    if size(text) > limit:
        raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {limit}", field="document")
    named = [node.text for node in principal_nodes(text)]
    ids, arns = _looked_up(named, account)
    _refuse_missing(text, ids)
    return CheckedTrust(text, ids, arns)


def shown_trust(text: str) -> str:
    """A stored document with the present ARNs of the users and roles that it lets in."""
    return shown_trusts([text])[0]


def shown_trusts(texts: Iterable[str]) -> list[str]:
    """As `shown_trust` for a whole list, in one query."""
    texts = list(texts)
    return shown_with(texts, _arns_of(ids_in(texts)))


def ids_in(texts: Iterable[str]) -> set[str]:
    """The unique ids of the users and roles that stored documents let in. Only what has an id in it is read: most trust
    services alone."""
    named = {node.text for text in texts if _UNIQUE_ID.search(text) for node in principal_nodes(text)}
    return {name for name in named if _UNIQUE_ID.fullmatch(name)}


def shown_with(texts: Iterable[str], arns: Mapping[str, str]) -> list[str]:
    """Stored documents with the ARNs that are known for ids."""
    shown = {
        text: _rewritten(text, lambda name: arns.get(name, name)) for text in set(texts) if _UNIQUE_ID.search(text)
    }
    return [shown.get(text, text) for text in texts]


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


def _looked_up(names: Iterable[str], account: Account) -> tuple[dict[str, str], dict[str, str]]:
    """What is stored for each name, and the ARN of each unique id; what does not exist is missing in both. All are
    looked up in one query, but for the document's own account, which is there."""
    names = set(names)
    arns = {name: match for name in names if (match := _NAMED.fullmatch(name))}
    ids = {name for name in names if _UNIQUE_ID.fullmatch(name)}
    others = {name: _account_of(name) for name in names - arns.keys() - ids - {"*"}}
    rows = _rows(arns.values(), ids, set(others.values()) - {account.id})
    found, accounts = _arns(rows), {row[2] for row in rows} | {account.id}
    stored = {arn: unique_id for unique_id, arn in found.items()} | {name: name for name in ids & found.keys()}
    stored |= {name: name for name, account_id in others.items() if account_id in accounts}
    return {name: stored[name] for name in names & stored.keys()} | ({"*": "*"} if "*" in names else {}), found


def _rows(named: Iterable[re.Match[str]], ids: set[str], account_ids: set[str]) -> list[tuple[str, ...]]:
    """Users and roles by name or id, and accounts by id: kind, unique id, and what an ARN is made of."""
    parts = []
    for model in (User, Role):
        places = {match.group(1, 4) for match in named if match[2] == model.__name__.lower()}
        by_name = Q(account__in={place[0] for place in places}, name_key__in={place[1].lower() for place in places})
        if places or ids:
            parts.append(_places(model, by_name | Q(unique_id__in=ids)))
    if account_ids:
        nothing = [Value("")] * 2
        parts.append(
            Account.objects.filter(pk__in=account_ids).values_list(Value("Account"), Value(""), "pk", *nothing)
        )
    return list(parts[0].union(*parts[1:], all=True)) if parts else []


def _places(model: type[User] | type[Role], wanted: Q) -> "QuerySet[Any, tuple[str, ...]]":
    rows = model._default_manager.filter(wanted)
    return rows.values_list(Value(model.__name__), *_PLACE)


def _whole(name: str) -> str:
    """The ARN that a bare account id stands for; '' for anything else."""
    return f"arn:aws:iam::{name}:root" if _ACCOUNT_ID.fullmatch(name) else ""


def _account_of(name: str) -> str:
    found = _OF_ACCOUNT.fullmatch(name)
    return found[1] if found else name


def _arns_of(ids: set[str]) -> dict[str, str]:
    return arns_of(_BY_ID.rows(ids=sorted(ids))) if ids else {}


def _arns(rows: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """The ARN of each user and role, by unique id."""
    return {unique_id: _ARNS[kind](*place) for kind, unique_id, *place in rows if kind in _ARNS}


def arns_of(found: Mapping[str, Iterable[tuple[str, ...]]]) -> dict[str, str]:
    """The ARNs by unique id, of what the lists of `BY_ID` found."""
    return {unique_id: _ARNS[kind](*place) for kind in BY_ID for unique_id, *place in found[kind]}


def _by_id(model: type[User] | type[Role]) -> "QuerySet[Any, tuple[str, ...]]":
    return model._default_manager.filter(AnyOf("unique_id", Param("ids"))).values_list(*_PLACE)


# Users and roles of certain `ids`: lists that may be read together with others.
BY_ID = {"User": partial(_by_id, User), "Role": partial(_by_id, Role)}
_BY_ID = QueryBatch(BY_ID)


def _refuse_missing(text: str, known: Mapping[str, str]) -> None:
    for node in principal_nodes(text):
        if node.text not in known:
            line, column = Positions(text).line_and_column(node.start)
            message = f"“{node.text}” is no user, role or account of this server."
            hint = "Write the ARN as its page shows it; letters count in their case."
            finding = Finding("error", "PRINCIPAL_NOT_FOUND", message, hint, line, column, node.text)
            raise DocumentRefused(f'Invalid principal in policy: "AWS":"{node.text}"', findings=(finding,))
