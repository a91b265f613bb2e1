"""What most calls are about: a user or a role by name, with tags and boundary, or a group, in one statement."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import F, QuerySet

from audit.prepared import Given, Prepared, prefetched
from identities.models import Group, Machine, Role, RoleTag, User, UserTag


def _users() -> QuerySet[User]:
    """A user with boundary and password, once for each tag."""
    users = User.objects.filter(account_id=Given("account_id"), name_key=Given("name_key"))
    users = users.select_related("account", "boundary", "login_profile")
    # What few ask for, and what would have to be parsed each time.
    users = users.defer("account__quota_overrides", "account__properties")
    return users.annotate(tag_key=F("tags__key"), tag_value=F("tags__value"))


def _named_roles() -> QuerySet[Role]:
    """A role by its name in any case, with boundary, once for each tag."""
    roles = Role.objects.filter(account_id=Given("account_id"), name_key=Given("name_key")).select_related("boundary")
    return roles.annotate(tag_key=F("tags__key"), tag_value=F("tags__value"))


def _groups() -> QuerySet[Group]:
    return Group.objects.filter(account_id=Given("account_id"), name_key=Given("name_key"))


def _machines() -> QuerySet[Machine]:
    """A machine that has a role through its profile."""
    return Machine.objects.filter(machine_id=Given("machine_id"), profile__role__unique_id=Given("role_id"))


_TAG = ("tag_key", "tag_value")
_GROUPS = Prepared(_groups)
_MACHINES = Prepared(_machines)
_NAMED_ROLES = Prepared(_named_roles)
_USERS = Prepared(_users)


def read_user(account_id: str, name: str) -> User | None:
    """The user of that name in any case, with account, tags, boundary and login profile."""
    user, tags = _USERS.first_row(*_TAG, account_id=account_id, name_key=name.lower())
    if user is not None:
        made = [
            UserTag(user_id=user.pk, key=key, key_folded=key.casefold(), value=value) for key, value in _given(tags)
        ]
        prefetched(user, "tags", made)
    return user


def read_named_role(account_id: str, name: str) -> Role | None:
    """The role of that name in any case, with tags and boundary."""
    role, tags = _NAMED_ROLES.first_row(*_TAG, account_id=account_id, name_key=name.lower())
    if role is not None:
        made = [
            RoleTag(role_id=role.pk, key=key, key_folded=key.casefold(), value=value) for key, value in _given(tags)
        ]
        prefetched(role, "tags", made)
    return role


def read_group(account_id: str, name: str) -> Group | None:
    return next(iter(_GROUPS.rows(account_id=account_id, name_key=name.lower())), None)


def read_machine_with_role(machine_id: str, role_id: str) -> Machine | None:
    """The machine, if the role of that unique id is in the profile that it has."""
    return next(iter(_MACHINES.rows(machine_id=machine_id, role_id=role_id)), None)


def _given(tags: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, str]]:
    """What has no tag comes once, with none."""
    return ((key, value) for key, value in tags if key is not None)
