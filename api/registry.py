"""One function per operation: what it is called, on which resource it is authorised, and what it is handed."""

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet, Value
from django.db.models.functions import Left
from django.db.models.lookups import Exact

from access.gate import PrincipalGate
from accounts.models import Account
from api.paging import DEFAULT_ITEMS, MixedPage, Page, Pager, TablePage
from api.shapes import Operation
from api.tables import Table, Tables
from audit.errors import InvalidInput
from audit.principal import Principal

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)
Result = Mapping[str, object]
Context = Mapping[str, str | Iterable[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """What an operation acts on: the ARN to decide on, its row in the caller's own account if there is one, its tags,
    and the condition keys that it brings. A denied caller is told `asked`, never what was found: a path or an owner's
    name would say that the thing exists."""

    arn: str
    row: object = None
    context: Context = field(default_factory=dict)
    asked: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """One authenticated call: who asks, for what, when. `call["UserName"]` is a required input, typed and valid."""

    principal: Principal
    operation: Operation
    inputs: Mapping[str, Any]
    now: datetime
    gate: PrincipalGate
    target: Target = Target("*")
    _account: Account | None = None

    def __getitem__(self, name: str) -> Any:
        return self.inputs[name]

    def __contains__(self, name: str) -> bool:
        return name in self.inputs

    def get(self, name: str, default: Any = None) -> Any:
        return self.inputs.get(name, default)

    @property
    def account_id(self) -> str:
        return self.principal.account_id

    @property
    def account(self) -> Account:
        """The caller's account, read when first asked for."""
        if self._account is None:
            self._account = Account.objects.get(pk=self.account_id)
        return self._account

    @property
    def is_about_root(self) -> bool:
        """Root that names no user means itself."""
        return self.principal.is_root and "UserName" not in self

    @property
    def tags(self) -> dict[str, str]:
        """The Tags input as a table, for users and roles: a key given twice, in whatever case, is InvalidInput."""
        tags = {tag["Key"]: tag["Value"] for tag in self.get("Tags", [])}
        if len({key.casefold() for key in tags}) < len(self.get("Tags", [])):
            raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        return tags

    def page(self, items: QuerySet[Row], key: str) -> Page[Row]:
        """One page of rows by MaxItems and Marker, in the order of a unique column."""
        return self._pager().rows(items, key)

    def table(self, table: Table, **values: str | int) -> TablePage:
        """One page of a table by MaxItems, Marker and PathPrefix. The account is the caller's."""
        return self._pager().table(table, self.get("PathPrefix", "/"), account_id=self.account_id, **values)

    def page_of(self, items: list[Item]) -> Page[Item]:
        """One page of a short list in memory."""
        return self._pager().slice(items)

    def page_through(self, tables: Tables, names: Sequence[str]) -> MixedPage:
        """One page through the named tables."""
        return self._pager().tables(tables, names, account_id=self.account_id)

    def _pager(self) -> Pager:
        return Pager(self.operation.action, self.get("MaxItems", DEFAULT_ITEMS), self.get("Marker"))

    def under_path(self, column: str = "path") -> Q:
        """Only what lies under the PathPrefix input. Compared exactly: SQLite's LIKE would ignore case."""
        prefix = self.get("PathPrefix", "/")
        return Q(Exact(Left(column, len(prefix)), Value(prefix))) if prefix != "/" else Q()


Function = Callable[[Call], Result | None]
Resource = Callable[[Call], Target]


@dataclass(frozen=True, slots=True)
class Action:
    """An operation that this server has. `resource` finds what is asked for; None: nobody needs permission."""

    name: str
    function: Function
    resource: Resource | None
    context: Callable[[Call], Context]


_ACTIONS: dict[str, Action] = {}


def action(
    name: str, *, resource: str | Resource | None, context: Callable[[Call], Context] | None = None
) -> Callable[[Function], Function]:
    """Register a function as an operation, for example `iam:CreateUser`.

    `resource` is "*", or the resource part of an ARN with inputs in braces ("user{Path}{UserName}"), or a loader that
    finds a row in the caller's own account or the ARN that it would have, or None for what needs no permission.
    """

    def register(function: Function) -> Function:
        if name in _ACTIONS:
            raise ValueError(f"{name} is registered twice.")
        loader = resource if callable(resource) or resource is None else _named(resource)
        _ACTIONS[name] = Action(name, function, loader, context or _no_context)
        return function

    return register


def find(name: str) -> Action | None:
    return _ACTIONS.get(name)


def registered() -> Iterator[Action]:
    """Every action there is, by name."""
    return (_ACTIONS[name] for name in sorted(_ACTIONS))


def _no_context(call: Call) -> Context:
    return {}


def anything(call: Call) -> Target:
    """What actions without a resource are decided on."""
    return Target("*")


# What an input is when the caller leaves it out.
_DEFAULTS = {"Path": "/"}


def _named(text: str) -> Resource:
    if text == "*":
        return anything
    names = [name for _, name, _, _ in string.Formatter().parse(text) if name]

    def load(call: Call) -> Target:
        words = {name: call.get(name, _DEFAULTS.get(name, "")) for name in names}
        return Target(f"arn:aws:iam::{call.account_id}:{text.format(**words)}")

    return load
