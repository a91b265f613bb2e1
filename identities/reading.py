"""What most calls are about: a user or a role by name, with tags and boundary, or a group, in one statement."""

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


_GROUPS = Prepared(_groups)
_MACHINES = Prepared(_machines)
_NAMED_ROLES = Prepared(_named_roles)
_USERS = Prepared(_users)


def read_user(account_id: str, name: str) -> User | None:
    """The user of that name in any case, with account, tags, boundary and login profile."""
    rows = _USERS.rows(account_id=account_id, name_key=name.lower())
    if not rows:
        return None
    _hand_tags(rows[0], rows)
    return rows[0]


def read_named_role(account_id: str, name: str) -> Role | None:
    """The role of that name in any case, with tags and boundary."""
    return _with_tags(_NAMED_ROLES.rows(account_id=account_id, name_key=name.lower()))


def read_group(account_id: str, name: str) -> Group | None:
    return next(iter(_GROUPS.rows(account_id=account_id, name_key=name.lower())), None)


def read_machine_with_role(machine_id: str, role_id: str) -> Machine | None:
    """The machine, if the role of that unique id is in the profile that it has."""
    return next(iter(_MACHINES.rows(machine_id=machine_id, role_id=role_id)), None)


def _with_tags(rows: list[Role]) -> Role | None:
    if not rows:
        return None
    pairs = [(row.tag_key, row.tag_value) for row in rows if row.tag_key is not None]  # type: ignore[attr-defined] # annotated above
    tags = [RoleTag(role_id=rows[0].pk, key=key, key_folded=key.casefold(), value=value) for key, value in pairs]
    prefetched(rows[0], "tags", tags)
    return rows[0]


def _hand_tags(user: User, rows: list[User]) -> None:
    pairs = [(row.tag_key, row.tag_value) for row in rows if row.tag_key is not None]  # type: ignore[attr-defined] # annotated above
    tags = [UserTag(user_id=user.pk, key=key, key_folded=key.casefold(), value=value) for key, value in pairs]
    prefetched(user, "tags", tags)
