"""Lists to choose from, on the pages that give permissions. Long ones show what is chosen, then what a search finds."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.errors import AccessDenied, NoSuchEntity
from audit.http import ConsoleRequest, require_hiding
from identities.models import Group, User
from identities.models.lockdowns import LOCKDOWN_POLICY
from identities.models.users import user_arn
from identities.resource_tags import resource_tags
from identities.services.cloning import COPY, READ_ACTIONS, Held, items_of
from identities.services.grants import Item, Step, Target
from policies.engine import Decision, Outcome
from policies.models import ManagedPolicy

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a list: `value` is what the form carries."""

    value: str
    name: str
    note: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ChoiceList:
    """`denial` is set, and nothing else, for somebody who may not list these things."""

    choices: tuple[Choice, ...] = ()
    more: int = 0
    denial: AccessDenied | None = None


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of a user's permissions, as somebody who wants to give it sees it."""

    item: Item
    step: Step
    decision: Decision
    has: bool
    replaces: bool
    ticked: bool

    @property
    def open(self) -> bool:
        """Whether it can be ticked at all."""
        return self.decision.allowed and not self.has


def group_choices(
    request: ConsoleRequest, chosen: Iterable[str], search: str, *, but: Iterable[Group] = ()
) -> ChoiceList:
    if denial := _denial(request, "iam:ListGroups"):
        return ChoiceList(denial=denial)
    chosen = {name.lower() for name in chosen}
    groups = Group.objects.filter(account_id=request.principal.account_id).order_by("name_key")
    groups = groups.exclude(pk__in=[group.pk for group in but])
    found = groups.filter(name_key__contains=search.lower()).exclude(name_key__in=chosen)
    choices = [_group_choice(group, True) for group in groups.filter(name_key__in=chosen)]
    choices += [_group_choice(group, False) for group in found[:SHOWN]]
    return ChoiceList(tuple(choices), max(0, found.count() - SHOWN))


def policy_choices(request: ConsoleRequest, chosen: Iterable[str], search: str) -> ChoiceList:
    if denial := _denial(request, "iam:ListPolicies"):
        return ChoiceList(denial=denial)
    arns = set(chosen)
    names = {arn.rpartition("/")[2].lower() for arn in arns}
    policies = ManagedPolicy.objects.visible_to(request.principal.account_id).order_by("name_key", "account_id")
    policies = policies.exclude(account_id=None, name=LOCKDOWN_POLICY)
    picked = [policy for policy in policies.filter(name_key__in=names) if policy.arn in arns]
    found = policies.filter(name_key__contains=search.lower()).exclude(pk__in=[policy.pk for policy in picked])
    choices = [_policy_choice(policy, True) for policy in picked]
    choices += [_policy_choice(policy, False) for policy in found[:SHOWN]]
    return ChoiceList(tuple(choices), max(0, found.count() - SHOWN))


def source_choices(request: ConsoleRequest, search: str, *, but: User | None = None) -> ChoiceList:
    if denial := _denial(request, "iam:ListUsers"):
        return ChoiceList(denial=denial)
    users = User.objects.filter(account_id=request.principal.account_id, name_key__contains=search.lower())
    users = (users.exclude(pk=but.pk) if but else users).order_by("name_key")
    choices = tuple(Choice(user.name, user.name, _path_note(user.path), False) for user in users[:SHOWN])
    return ChoiceList(choices, max(0, users.count() - SHOWN))


def user_choices(
    request: ConsoleRequest, chosen: Iterable[str], search: str, *, outside: Group | None = None
) -> ChoiceList:
    """Users to put into a group; with `outside` only those who are not in it yet."""
    if denial := _denial(request, "iam:ListUsers"):
        return ChoiceList(denial=denial)
    chosen = {name.lower() for name in chosen}
    users = User.objects.filter(account_id=request.principal.account_id).order_by("name_key")
    if outside is not None:
        users = users.exclude(pk__in=outside.memberships.values("user"))
    found = users.filter(name_key__contains=search.lower()).exclude(name_key__in=chosen)
    choices = [Choice(user.name, user.name, _path_note(user.path), True) for user in users.filter(name_key__in=chosen)]
    choices += [Choice(user.name, user.name, _path_note(user.path), False) for user in found[:SHOWN]]
    return ChoiceList(tuple(choices), max(0, found.count() - SHOWN))


def _group_choice(group: Group, chosen: bool) -> Choice:
    return Choice(group.name, group.name, _path_note(group.path), chosen)


def _policy_choice(policy: ManagedPolicy, chosen: bool) -> Choice:
    kind = "Built in" if policy.is_built_in else "Of this account"
    note = f"{kind}. {policy.description}" if policy.description else kind
    return Choice(policy.arn, policy.name, note, chosen)


def _path_note(path: str) -> str:
    return "" if path == "/" else path


def _denial(request: ConsoleRequest, action: str) -> AccessDenied | None:
    decision = request.gate.may(action, "*")
    return None if decision.allowed else AccessDenied(request.principal.arn, action, "*", decision)


def readable_source(request: ConsoleRequest, name: str) -> User:
    """The user to copy from, once the caller may read all that is copied. Copying itself takes no permission, for each
    thing is asked about when it is given; only a Deny keeps it from somebody. Raises AccessDenied before
    NoSuchEntity."""
    account_id = request.principal.account_id
    source = (
        User.objects.filter(account_id=account_id, name_key=name.lower())
        .select_related("boundary")
        .prefetch_related("tags")
        .first()
    )
    arn, tags = (source.arn, resource_tags(source)) if source else (None, {})
    asked = user_arn(account_id, "/", name)
    for action in READ_ACTIONS:
        require_hiding(request, action, arn, asked, tags)
    copying = request.gate.may(COPY, arn or asked, tags)
    if copying.outcome is Outcome.EXPLICITLY_DENIED:
        raise AccessDenied(request.principal.arn, COPY, asked, copying, decided_on=arn or asked, context=tags)
    if source is None:
        raise NoSuchEntity(f"The user with name {name} cannot be found.")
    return source


def item_rows(
    request: ConsoleRequest, source: User, target: Target, *, held: Held | None = None, ticked: Iterable[str] | None
) -> list[ItemRow]:
    """The source's permissions with what the caller may give. `ticked` is None on first sight: all that can be had
    without replacing anything."""
    held, keys = held or Held(), None if ticked is None else set(ticked)
    rows = []
    for item in items_of(source):
        step = item.step(target)
        decision = request.gate.may(step.action, step.resource, step.context)
        has, replaces = held.has(item), held.would_replace(item)
        wanted = not replaces if keys is None else item.key in keys
        rows.append(ItemRow(item, step, decision, has, replaces, wanted and decision.allowed and not has))
    return rows
