"""A new role with all that was chosen for it, made in one transaction: what the pages of creating a role end in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from audit.errors import InvalidInput
from audit.principal import Principal
from identities.models import Role
from identities.services import roles
from identities.services.cloning import give_items
from identities.services.grants import BoundaryItem, Item, MissingItem, Step, Target, tag_context


@dataclass(frozen=True, slots=True)
class NewRole:
    """What is to be made. `trust` is the trust policy as a person writes it, with names."""

    account_id: str
    name: str
    trust: str
    path: str = "/"
    description: str = ""
    max_session_seconds: int = roles.SHORTEST_SESSION
    tags: Mapping[str, str] = field(default_factory=dict)
    items: tuple[Item, ...] = ()

    @property
    def boundary(self) -> BoundaryItem | None:
        return next((item for item in self.items if isinstance(item, BoundaryItem)), None)

    @property
    def target(self) -> Target:
        boundary = next((item for item in self.items if item.kind == "boundary"), None)
        arn = boundary.key.removeprefix("boundary:") if boundary else ""
        return Target(self.account_id, self.name, self.path, self.tags, arn, "Role")

    def steps(self) -> list[Step]:
        """Everything that will be done, as the gate is asked for it, one by one."""
        target, request_tags = self.target, tag_context(self.tags)
        bounded = {"iam:PermissionsBoundary": target.boundary_arn} if target.boundary_arn else {}
        steps = [Step("iam:CreateRole", target.arn, {**request_tags, **bounded}, f"Create the role {self.name}")]
        if self.tags:
            text = "Tag the role: " + ", ".join(f"{key} = {value}" for key, value in self.tags.items())
            steps.append(Step("iam:TagRole", target.arn, {**request_tags, **target.resource_tags}, text))
        return steps + [item.step(target) for item in self.items]

    def missing(self) -> list[str]:
        """What is not there any more. To be shown only to somebody who may do every step."""
        return [item.sentence for item in self.items if isinstance(item, MissingItem)]


@transaction.atomic
def create_role_with_access(*, by: Principal, new: NewRole) -> Role:
    """Make the role and its permissions, all or nothing. Raises what the services raise, naming the item."""
    if len(boundaries := [item.name for item in new.items if item.kind == "boundary"]) > 1:
        raise InvalidInput(f"A role has one permissions boundary: keep {' or '.join(boundaries)}.")
    boundary = new.boundary
    role = roles.create_role(
        by=by,
        name=new.name,
        trust=new.trust,
        path=new.path,
        description=new.description,
        max_session_seconds=new.max_session_seconds,
        tags=new.tags,
        boundary=boundary.policy if boundary else None,
    )
    give_items(by=by, holder=role, items=[item for item in new.items if item is not boundary])
    return role
