"""What has permissions: a user, a group or a role. Their pages are the same but for names, quotas and boundaries."""

from dataclasses import dataclass
from typing import Literal

from django.http import Http404
from django.urls import reverse

from audit.errors import AccessDenied
from audit.http import ConsoleRequest, require_hiding
from database.prefetch import related_rows
from identities.models import (
    Group,
    GroupInlinePolicy,
    Role,
    RoleInlinePolicy,
    RoleTag,
    User,
    UserInlinePolicy,
    UserTag,
)
from identities.models.groups import group_arn
from identities.models.roles import role_arn
from identities.models.users import user_arn
from identities.resource_tags import keys_of, touched_keys
from identities.services.grants import Context, Step

Kind = Literal["user", "group", "role"]
Inline = UserInlinePolicy | GroupInlinePolicy | RoleInlinePolicy


@dataclass(frozen=True, slots=True)
class Holder:
    kind: Kind
    row: User | Group | Role

    @property
    def word(self) -> str:
        """The middle of action names: iam:AttachUserPolicy, iam:AttachGroupPolicy."""
        return self.kind.capitalize()

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def user(self) -> User | None:
        return self.row if isinstance(self.row, User) else None

    @property
    def group(self) -> Group | None:
        return self.row if isinstance(self.row, Group) else None

    @property
    def role(self) -> Role | None:
        return self.row if isinstance(self.row, Role) else None

    @property
    def bounded(self) -> User | Role | None:
        """The row, if it can have a permissions boundary."""
        return None if isinstance(self.row, Group) else self.row

    @property
    def is_fixed(self) -> bool:
        """A service-linked role: only its service changes it."""
        return isinstance(self.row, Role) and self.row.is_service_linked

    @property
    def tabs(self) -> str:
        return f"identities/{self.kind}_tabs.html"

    @property
    def page(self) -> str:
        """The address of its permissions tab."""
        return self.address(f"list-attached-{self.kind}-policies")

    @property
    def attach_page(self) -> str:
        return self.address(f"attach-{self.kind}-policy")

    @property
    def detach_page(self) -> str:
        return self.address(f"detach-{self.kind}-policy")

    @property
    def inline_page(self) -> str:
        return self.address(f"put-{self.kind}-policy")

    @property
    def boundary_page(self) -> str:
        return self.address(f"put-{self.kind}-permissions-boundary")

    @property
    def unbound_page(self) -> str:
        return self.address(f"delete-{self.kind}-permissions-boundary")

    @property
    def tags(self) -> list[UserTag | RoleTag]:
        """By key; groups have none."""
        rows = related_rows(self.bounded, "tags") if self.bounded else ()
        return sorted(rows, key=lambda tag: tag.key_folded)

    @property
    def tags_page(self) -> str:
        return self.address(f"list-{self.kind}-tags")

    @property
    def tag_page(self) -> str:
        return self.address(f"tag-{self.kind}")

    @property
    def untag_page(self) -> str:
        return self.address(f"untag-{self.kind}")

    @property
    def see_inline(self) -> str:
        """The name of the page of one inline policy; templates add the names of holder and policy."""
        return f"identities:get-{self.kind}-policy"

    @property
    def change_inline(self) -> str:
        return f"identities:put-{self.kind}-policy-change"

    @property
    def delete_inline(self) -> str:
        return f"identities:delete-{self.kind}-policy"

    def address(self, url_name: str, *more: str) -> str:
        return reverse(f"identities:{url_name}", args=[self.row.name, *more])

    @property
    def attach_quota(self) -> int:
        return self.row.account.quota(f"policies_per_{self.kind}")

    @property
    def inline_quota(self) -> int:
        return self.row.account.quota(f"inline_{self.kind}_characters")

    def inline(self, name: str) -> Inline | None:
        return self.row.inline_policies.filter(name=name).first()

    def keys(self, action: str) -> Context:
        """The condition keys that the holder brings to a question: its tags, and the boundary that limits it."""
        return keys_of(self.bounded, action) if self.bounded else {}

    def denial(self, request: ConsoleRequest, action: str) -> AccessDenied | None:
        """What `components/not_allowed.html` needs for a part of the page; None for somebody who may see it."""
        return denial_of(request, action, self.row.arn, self.keys(action))


def denial_of(
    request: ConsoleRequest, action: str, resource: str, context: Context | None = None
) -> AccessDenied | None:
    decision = request.gate.may(action, resource, context)
    if decision.allowed:
        return None
    return AccessDenied(request.principal.arn, action, resource, decision, context=context)


def holder_of(row: User | Group | Role) -> Holder:
    """Of a row that the guard has loaded and allowed."""
    return Holder("group" if isinstance(row, Group) else "role" if isinstance(row, Role) else "user", row)


def permitted(request: ConsoleRequest, kind: Kind, name: str, action: str, keys: Context | None = None) -> Holder:
    """The user, group or role of an address, once the gate allowed the action."""
    return {"user": permitted_user, "group": permitted_group, "role": permitted_role}[kind](request, name, action, keys)


def permitted_user(request: ConsoleRequest, name: str, action: str, keys: Context | None = None) -> Holder:
    """The user of an address, once the gate allowed the action with all condition keys that belong to it.

    For actions whose keys come from the form: the guard can't ask before it was read (`creates`). Refused before it is
    said to be missing, on the ARN that the name alone gives.
    """
    account_id = request.principal.account_id
    user = (
        User.objects.filter(account_id=account_id, name_key=name.lower())
        .select_related("boundary")
        .prefetch_related("tags")
        .first()
    )
    holder = holder_of(user) if user else None
    context = _asked_with(holder, action, keys or {})
    require_hiding(request, action, user.arn if user else None, user_arn(account_id, "/", name), context)
    if holder is None:
        raise Http404("There is no user with that name in this account.")
    return holder


def permitted_group(request: ConsoleRequest, name: str, action: str, keys: Context | None = None) -> Holder:
    """The group of an address, as `permitted_user`."""
    account_id = request.principal.account_id
    group = Group.objects.filter(account_id=account_id, name_key=name.lower()).first()
    asked = group_arn(account_id, "/", name)
    require_hiding(request, action, group.arn if group else None, asked, keys or {})
    if group is None:
        raise Http404("There is no group with that name in this account.")
    return holder_of(group)


def permitted_role(request: ConsoleRequest, name: str, action: str, keys: Context | None = None) -> Holder:
    """The role of an address, as `permitted_user`."""
    account_id = request.principal.account_id
    role = (
        Role.objects.filter(account_id=account_id, name_key=name.lower())
        .select_related("boundary")
        .prefetch_related("tags")
        .first()
    )
    holder = holder_of(role) if role else None
    context = _asked_with(holder, action, keys or {})
    require_hiding(request, action, role.arn if role else None, role_arn(account_id, "/", name), context)
    if holder is None:
        raise Http404("There is no role with that name in this account.")
    return holder


def _asked_with(holder: Holder | None, action: str, keys: Context) -> Context:
    """What the holder brings, and what comes from the form: of tags, whichever way their keys are spelled."""
    if holder is None or holder.bounded is None:
        return keys
    touched = {"aws:TagKeys": touched_keys(holder.bounded, keys["aws:TagKeys"])} if "aws:TagKeys" in keys else {}
    return {**holder.keys(action), **keys, **touched}


def require_step(request: ConsoleRequest, step: Step) -> None:
    """Ask for one step of several that are done together."""
    require_hiding(request, step.action, step.resource, step.shown, step.context)
