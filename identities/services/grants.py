"""What may be given to a user or a role, one thing at a time: a group (users only), a managed policy, an inline policy,
a boundary.

Each item knows what the gate is asked for it and which service gives it. Creating a user and copying permissions are
lists of items, so neither can give what could not be given one by one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from accounts.tags import iam_resource_tag_keys
from audit.errors import InvalidInput, NoSuchEntity
from audit.principal import Principal
from database.prefetch import related_rows
from identities.models import Group, Role, RoleInlinePolicy, User, UserInlinePolicy
from identities.models.groups import group_arn
from identities.models.roles import role_arn
from identities.models.users import user_arn
from identities.services import attachments, boundaries, groups, inline_policies
from policies.models import ManagedPolicy

Context = Mapping[str, str | tuple[str, ...]]
Kind = Literal["boundary", "group", "policy", "inline"]


@dataclass(frozen=True, slots=True)
class Step:
    """One change: what the gate is asked, and what a person reads. `asked` is the ARN that a denied caller is told
    where the real one holds more than the caller said: its path would tell that the thing is there."""

    action: str
    resource: str
    context: Context
    text: str
    asked: str = ""

    @property
    def shown(self) -> str:
        return self.asked or self.resource


@dataclass(frozen=True, slots=True)
class Target:
    """The user or role that is changed, there already or about to be made: its ARN and the condition keys that it
    brings."""

    account_id: str
    name: str
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)
    boundary_arn: str = ""
    kind: Literal["User", "Role"] = "User"

    @classmethod
    def of(cls, holder: User | Role) -> "Target":
        tags = {tag.key: tag.value for tag in related_rows(holder, "tags")}
        boundary = holder.boundary.arn if holder.boundary else ""
        kind: Literal["User", "Role"] = "Role" if isinstance(holder, Role) else "User"
        return cls(holder.account_id, holder.name, holder.path, tags, boundary, kind)

    @property
    def arn(self) -> str:
        make = role_arn if self.kind == "Role" else user_arn
        return make(self.account_id, self.path, self.name)

    @property
    def resource_tags(self) -> dict[str, str]:
        return iam_resource_tag_keys(self.tags)

    def context(self, **keys: str) -> Context:
        """Condition keys of permission changes: the tags, the boundary that limits the user, and `iam:` keys."""
        bounded = {"iam:PermissionsBoundary": self.boundary_arn} if self.boundary_arn else {}
        return {**self.resource_tags, **bounded, **{f"iam:{key}": value for key, value in keys.items()}}


class Item(Protocol):
    """`key` names the item in a form. Two items with the same `place` can't both be had."""

    @property
    def kind(self) -> Kind: ...

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def place(self) -> str: ...

    def step(self, target: Target) -> Step: ...

    def give(self, *, by: Principal, holder: User | Role) -> None: ...


@dataclass(frozen=True, slots=True)
class GroupItem:
    """`typed` is the name that the caller gave, who may not know how the group is really spelled."""

    group: Group
    typed: str = ""
    kind: Kind = "group"

    @property
    def name(self) -> str:
        return self.group.name

    @property
    def key(self) -> str:
        return f"group:{self.group.name}"

    @property
    def place(self) -> str:
        return self.key

    def step(self, target: Target) -> Step:
        name = self.typed or self.name
        asked = group_arn(self.group.account_id, "/", name) if self.typed else ""
        return Step("iam:AddUserToGroup", self.group.arn, {}, f"Add to the group {name}", asked)

    def give(self, *, by: Principal, holder: User | Role) -> None:
        if isinstance(holder, Role):
            raise InvalidInput("Groups hold users only.")
        groups.add_user_to_group(by=by, group=self.group, user=holder)


@dataclass(frozen=True, slots=True)
class PolicyItem:
    policy: ManagedPolicy
    kind: Kind = "policy"

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def key(self) -> str:
        return f"policy:{self.policy.arn}"

    @property
    def place(self) -> str:
        return self.key

    def step(self, target: Target) -> Step:
        context = target.context(PolicyARN=self.policy.arn)
        return Step(f"iam:Attach{target.kind}Policy", target.arn, context, f"Attach the policy {self.name}")

    def give(self, *, by: Principal, holder: User | Role) -> None:
        if isinstance(holder, Role):
            attachments.attach_role_policy(by=by, role=holder, policy=self.policy)
        else:
            attachments.attach_user_policy(by=by, user=holder, policy=self.policy)


@dataclass(frozen=True, slots=True)
class InlineItem:
    """The key holds the document's digest: what was reviewed is what is given, or nothing."""

    inline: UserInlinePolicy | RoleInlinePolicy
    kind: Kind = "inline"

    @property
    def name(self) -> str:
        return self.inline.name

    @property
    def key(self) -> str:
        return f"inline:{self.inline.digest[:16]}:{self.inline.name}"

    @property
    def place(self) -> str:
        return f"inline:{self.inline.name}"

    def step(self, target: Target) -> Step:
        return Step(f"iam:Put{target.kind}Policy", target.arn, target.context(), f"Write the inline policy {self.name}")

    def give(self, *, by: Principal, holder: User | Role) -> None:
        name, document = self.inline.name, self.inline.document
        if isinstance(holder, Role):
            inline_policies.put_role_policy(by=by, role=holder, name=name, document=document)
        else:
            inline_policies.put_user_policy(by=by, user=holder, name=name, document=document)


@dataclass(frozen=True, slots=True)
class BoundaryItem:
    policy: ManagedPolicy
    kind: Kind = "boundary"

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def key(self) -> str:
        return f"boundary:{self.policy.arn}"

    @property
    def place(self) -> str:
        return "boundary"

    def step(self, target: Target) -> Step:
        context = {**target.resource_tags, "iam:PermissionsBoundary": self.policy.arn}
        text = f"Set the permissions boundary {self.name}"
        return Step(f"iam:Put{target.kind}PermissionsBoundary", target.arn, context, text)

    def give(self, *, by: Principal, holder: User | Role) -> None:
        if isinstance(holder, Role):
            boundaries.put_role_permissions_boundary(by=by, role=holder, policy=self.policy)
        else:
            boundaries.put_user_permissions_boundary(by=by, user=holder, policy=self.policy)


@dataclass(frozen=True, slots=True)
class MissingItem:
    """Something that was asked for and is not there. The gate is asked for it all the same, on the ARN it would have:
    who may not give it reads the same as if it were there."""

    kind: Kind
    name: str
    account_id: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def place(self) -> str:
        return self.key

    @property
    def sentence(self) -> str:
        if self.kind == "group":
            return f"The group with name {self.name} cannot be found."
        return f"Policy {self.name} was not found."

    def step(self, target: Target) -> Step:
        if self.kind == "group":
            arn = group_arn(self.account_id, "/", self.name)
            return Step("iam:AddUserToGroup", arn, {}, f"Add to the group {self.name}")
        if self.kind == "boundary":
            context = {**target.resource_tags, "iam:PermissionsBoundary": self.name}
            text = f"Set the permissions boundary {name_in_arn(self.name)}"
            return Step(f"iam:Put{target.kind}PermissionsBoundary", target.arn, context, text)
        text = f"Attach the policy {name_in_arn(self.name)}"
        return Step(f"iam:Attach{target.kind}Policy", target.arn, target.context(PolicyARN=self.name), text)

    def give(self, *, by: Principal, holder: User | Role) -> None:
        raise NoSuchEntity(self.sentence)


def group_items(account_id: str, names: Iterable[str]) -> list[Item]:
    """Items for groups given by name, in the order given, each once."""
    wanted = {name.lower(): name for name in names}
    rows = Group.objects.filter(account_id=account_id, name_key__in=list(wanted))
    found = {group.name.lower(): group for group in rows}
    return [
        GroupItem(found[key], name) if key in found else MissingItem("group", name, account_id)
        for key, name in wanted.items()
    ]


def policy_items(account_id: str, arns: Iterable[str]) -> list[Item]:
    """Items for policies given by ARN, in the order given, each once."""
    found = policies_by_arn(account_id, arns)
    return [PolicyItem(policy) if policy else MissingItem("policy", arn, account_id) for arn, policy in found.items()]


def boundary_items(account_id: str, arn: str) -> list[Item]:
    """One item for the boundary of that ARN; none where no ARN is given."""
    if not arn:
        return []
    policy = policies_by_arn(account_id, [arn])[arn]
    return [BoundaryItem(policy) if policy else MissingItem("boundary", arn, account_id)]


def name_in_arn(arn: str) -> str:
    """The name at the end of a policy's ARN, whether the policy is there or not."""
    return arn.rpartition("/")[2]


def policies_by_arn(account_id: str, arns: Iterable[str]) -> dict[str, ManagedPolicy | None]:
    """The account's own and the built-in policies of these ARNs; None for one that is not there."""
    wanted = list(dict.fromkeys(arns))
    names = {arn.rpartition("/")[2].lower() for arn in wanted}
    rows = ManagedPolicy.objects.visible_to(account_id).filter(name_key__in=names)
    found = {policy.arn: policy for policy in rows}
    return {arn: found.get(arn) for arn in wanted}
