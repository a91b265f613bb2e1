"""A new group with its policies and users, made in one transaction: what the pages of creating a group end in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction

from audit.errors import NoSuchEntity, ServiceError
from audit.principal import Principal
from identities.models import Group, User
from identities.models.groups import group_arn
from identities.services import attachments, groups
from identities.services.grants import Step, name_in_arn
from policies.models import ManagedPolicy


@dataclass(frozen=True, slots=True)
class NewGroup:
    """What is to be made. A policy or user that was chosen and is not there (any more) stands as None."""

    account_id: str
    name: str
    path: str = "/"
    policies: Mapping[str, ManagedPolicy | None] = field(default_factory=dict)
    users: Mapping[str, User | None] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return group_arn(self.account_id, self.path, self.name)

    def steps(self) -> list[Step]:
        """Everything that will be done, as the gate is asked for it, one by one."""
        steps = [Step("iam:CreateGroup", self.arn, {}, f"Create the group {self.name}")]
        for arn in self.policies:
            text = f"Attach the policy {name_in_arn(arn)}"
            steps.append(Step("iam:AttachGroupPolicy", self.arn, {"iam:PolicyARN": arn}, text))
        steps += [Step("iam:AddUserToGroup", self.arn, {}, f"Add the user {name}") for name in self.users]
        return steps

    def missing(self) -> list[str]:
        """What is not there any more. To be shown only to somebody who may do every step."""
        policies = [f"Policy {arn} was not found." for arn, policy in self.policies.items() if policy is None]
        users = [f"The user with name {name} cannot be found." for name, user in self.users.items() if user is None]
        return policies + users


def users_by_name(account_id: str, names: Iterable[str]) -> dict[str, User | None]:
    """The account's users of these names in the order given, each once; None for one that is not there."""
    wanted = {name.lower(): name for name in names}
    rows = User.objects.filter(account_id=account_id, name_key__in=list(wanted))
    found = {user.name.lower(): user for user in rows}
    # Under the name that was given: the real spelling would tell somebody who may add nobody that the user is there.
    return {name: found.get(key) for key, name in wanted.items()}


@transaction.atomic
def create_group_with_members(*, by: Principal, new: NewGroup) -> Group:
    """Make the group, attach its policies and add its users, all or nothing.

    Raises what the services raise, naming the policy or user.
    """
    if missing := new.missing():
        raise NoSuchEntity(" ".join(missing))
    group = groups.create_group(by=by, name=new.name, path=new.path)
    # Users before policies, as everywhere: whoever waits for both waits in the same order.
    groups.add_users_to_group(by=by, group=group, users=filter(None, new.users.values()))
    for policy in filter(None, new.policies.values()):
        try:
            attachments.attach_group_policy(by=by, group=group, policy=policy)
        except ServiceError as error:
            error.message = f"“{policy.name}” could not be attached: {error.message}"
            raise
    return group
