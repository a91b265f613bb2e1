"""A new user with all that was chosen for it, made in one transaction: what the pages of creating a user end in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction

from accounts.passwords import generate_password, password_policy_of
from accounts.tags import request_tag_keys
from audit.errors import InvalidInput
from audit.principal import Principal
from identities.models import User
from identities.services import login_profiles, users
from identities.services.boundaries import missing_boundary_refused
from identities.services.cloning import give_items
from identities.services.grants import BoundaryItem, Item, MissingItem, Step, Target


@dataclass(frozen=True, slots=True)
class NewUser:
    """What is to be made. Nothing here is a secret: the password is generated when it happens."""

    account_id: str
    name: str
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)
    console: bool = False
    password_reset_required: bool = True
    items: tuple[Item, ...] = ()

    @property
    def boundary(self) -> BoundaryItem | None:
        return next((item for item in self.items if isinstance(item, BoundaryItem)), None)

    @property
    def target(self) -> Target:
        boundary = next((item for item in self.items if item.kind == "boundary"), None)
        arn = boundary.key.removeprefix("boundary:") if boundary else ""
        return Target(self.account_id, self.name, self.path, self.tags, arn)

    def steps(self) -> list[Step]:
        """Everything that will be done, as the gate is asked for it, one by one."""
        target, request_tags = self.target, request_tag_keys(self.tags)
        bounded = {"iam:PermissionsBoundary": target.boundary_arn} if target.boundary_arn else {}
        steps = [Step("iam:CreateUser", target.arn, {**request_tags, **bounded}, f"Create the user {self.name}")]
        if self.tags:
            text = "Tag the user: " + ", ".join(f"{key} = {value}" for key, value in self.tags.items())
            steps.append(Step("iam:TagUser", target.arn, {**request_tags, **target.resource_tags}, text))
        if self.console:
            text = "Give the user a console password, generated and shown once"
            text += ", to be changed at the first sign-in" if self.password_reset_required else ""
            steps.append(Step("iam:CreateLoginProfile", target.arn, target.resource_tags, text))
        return steps + [item.step(target) for item in self.items]

    def missing(self) -> list[str]:
        """What is not there any more. To be shown only to somebody who may do every step."""
        return [item.sentence for item in self.items if isinstance(item, MissingItem)]


def merged(items: Iterable[Item]) -> tuple[Item, ...]:
    """Each item once, however often it was chosen."""
    return tuple({item.key: item for item in items}.values())


@missing_boundary_refused()
@transaction.atomic
def create_user_with_access(*, by: Principal, new: NewUser) -> tuple[User, str]:
    """Make the user, its password and its permissions, all or nothing. Returns the user and the password ('' without
    console access), the only time it can be read. Raises what the services raise, naming the item."""
    if len(boundaries := [item.name for item in new.items if item.kind == "boundary"]) > 1:
        raise InvalidInput(f"A user has one permissions boundary: keep {' or '.join(boundaries)}.")
    boundary = new.boundary
    user = users.create_user(
        by=by,
        name=new.name,
        path=new.path,
        tags=new.tags,
        boundary=boundary.policy if boundary else None,
    )
    give_items(by=by, holder=user, items=[item for item in new.items if item is not boundary])
    return user, _give_password(by, user, new) if new.console else ""


def _give_password(by: Principal, user: User, new: NewUser) -> str:
    password = generate_password(password_policy_of(user.account_id))
    login_profiles.create_login_profile(
        by=by, user=user, password=password, password_reset_required=new.password_reset_required, for_console=True
    )
    return password
