"""A new role with all that was chosen for it, made in one transaction: what the pages of creating a role end in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from accounts.tags import request_tag_keys
from audit.errors import InvalidInput
from audit.principal import Principal
from identities.models import Role
from identities.models.roles import instance_profile_arn
from identities.services import instance_profiles, roles
from identities.services.boundaries import missing_boundary_refused
from identities.services.cloning import give_items
from identities.services.grants import BoundaryItem, Item, MissingItem, Step, Target


@dataclass(frozen=True, slots=True)
class NewRole:
    """What is to be made. `trust` is the trust policy as a person writes it, with names; with `has_profile` the role
    gets an instance profile of its own name."""

    account_id: str
    name: str
    trust: str
    path: str = "/"
    description: str = ""
    max_session_seconds: int = roles.SHORTEST_SESSION
    tags: Mapping[str, str] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    has_profile: bool = False

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
        target, request_tags = self.target, request_tag_keys(self.tags)
        bounded = {"iam:PermissionsBoundary": target.boundary_arn} if target.boundary_arn else {}
        steps = [Step("iam:CreateRole", target.arn, {**request_tags, **bounded}, f"Create the role {self.name}")]
        if self.tags:
            text = "Tag the role: " + ", ".join(f"{key} = {value}" for key, value in self.tags.items())
            steps.append(Step("iam:TagRole", target.arn, {**request_tags, **target.resource_tags}, text))
        return [*steps, *(item.step(target) for item in self.items), *(self._of_profile() if self.has_profile else ())]

    def _of_profile(self) -> list[Step]:
        """Handing a role to machines takes iam:PassRole, as by program."""
        arn, target = instance_profile_arn(self.account_id, "/", self.name), self.target
        passed = {"iam:PassedToService": instance_profiles.PASSED_TO, "iam:AssociatedResourceArn": arn}
        return [
            Step("iam:CreateInstanceProfile", arn, {}, f"Create the instance profile {self.name}"),
            Step("iam:AddRoleToInstanceProfile", arn, {}, "Put the role into the instance profile"),
            Step("iam:PassRole", target.arn, {**target.resource_tags, **passed}, "Hand the role to machines"),
        ]

    def missing(self) -> list[str]:
        """What is not there any more. To be shown only to somebody who may do every step."""
        return [item.sentence for item in self.items if isinstance(item, MissingItem)]


@missing_boundary_refused()
@transaction.atomic
def create_role_with_access(*, by: Principal, new: NewRole) -> Role:
    """Make the role, its permissions and its instance profile, all or nothing.

    Raises what the services raise, naming the item.
    """
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
    if new.has_profile:
        profile = instance_profiles.create_instance_profile(by=by, name=new.name)
        instance_profiles.add_role_to_instance_profile(by=by, profile=profile, role=role)
    return role
