"""What most calls are about: a user or a role by name, with tags and boundary, or a group, in one statement."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat

from database.prefetch import set_prefetched
from database.prepared import Param, Prepared, PreparedJoin
from identities.models import Group, Machine, Role, RoleTag, User, UserTag
from policies.models import ManagedPolicy, policy_arn


def _users() -> QuerySet[User]:
    """A user with boundary and password, once for each tag."""
    users = User.objects.filter(account_id=Param("account_id"), name_key=Param("name_key"))
    users = users.select_related("account", "boundary", "login_profile")
    # What few ask for, and what would have to be parsed each time.
    users = users.defer("account__quota_overrides", "account__properties")
    return users.annotate(tag_key=F("tags__key"), tag_value=F("tags__value"))


def _named_roles() -> QuerySet[Role]:
    """A role by its name in any case, with boundary, once for each tag."""
    roles = Role.objects.filter(account_id=Param("account_id"), name_key=Param("name_key")).select_related("boundary")
    return roles.annotate(tag_key=F("tags__key"), tag_value=F("tags__value"))


def _users_with_password_policy() -> QuerySet[User]:
    return _users().select_related("account__password_policy")


@cache
def _role_and_policies(number: int) -> PreparedJoin[Role]:
    """A role by its name in any case, with its tags and so many managed policies by their names."""

    def related() -> QuerySet[Any, Any]:
        account = Param("account_id")
        tags = RoleTag.objects.filter(role__account_id=account, role__name_key=Param("name_key"))
        tag_rows = tags.values_list(Value("tag"), Value(""), Value(""), "key", "value")
        names = [Param(_POLICY.format(each)) for each in range(number)]
        policies = ManagedPolicy.objects.visible_to(account).filter(name_key__in=names)
        owner = Concat("account_id", Value(""))
        return tag_rows.union(policies.values_list(Value("policy"), owner, "path", "name", "unique_id"), all=True)

    return PreparedJoin(
        lambda: Role.objects.filter(account_id=Param("account_id"), name_key=Param("name_key")), related
    )


def _groups() -> QuerySet[Group]:
    return Group.objects.filter(account_id=Param("account_id"), name_key=Param("name_key"))


def _machines() -> QuerySet[Machine]:
    """A machine that has a role through its profile."""
    return Machine.objects.filter(machine_id=Param("machine_id"), profile__role__unique_id=Param("role_id"))


_POLICY = "policy:{}"
_TAG = ("tag_key", "tag_value")
_GROUPS = Prepared(_groups)
_MACHINES = Prepared(_machines)
_NAMED_ROLES = Prepared(_named_roles)
_USERS = Prepared(_users)
_USERS_WITH_PASSWORD_POLICY = Prepared(_users_with_password_policy)


def user_ahead(account_id: str, name: str) -> None:
    """Have a user looked for together with the next question: `read_user` comes right after it."""
    _USERS.ahead(account_id=account_id, name_key=name.lower())


def named_role_ahead(account_id: str, name: str) -> None:
    _NAMED_ROLES.ahead(account_id=account_id, name_key=name.lower())


def group_ahead(account_id: str, name: str) -> None:
    _GROUPS.ahead(account_id=account_id, name_key=name.lower())


def read_user(account_id: str, name: str) -> User | None:
    """The user of that name in any case, with account, tags, boundary and login profile."""
    return _read_user(_USERS, account_id, name)


def read_user_with_password_policy(account_id: str, name: str) -> User | None:
    """As `read_user`, with the password policy of the account."""
    return _read_user(_USERS_WITH_PASSWORD_POLICY, account_id, name)


def _read_user(users: Prepared[User], account_id: str, name: str) -> User | None:
    user, tags = users.first_row(*_TAG, account_id=account_id, name_key=name.lower())
    if user is not None:
        made = [
            UserTag(user_id=user.pk, key=key, key_folded=key.casefold(), value=value) for key, value in _given(tags)
        ]
        set_prefetched(user, "tags", made)
    return user


def read_named_role(account_id: str, name: str) -> Role | None:
    """The role of that name in any case, with tags and boundary."""
    role, tags = _NAMED_ROLES.first_row(*_TAG, account_id=account_id, name_key=name.lower())
    if role is not None:
        _hand_tags(role, _given(tags))
    return role


def read_role_and_policies(
    account_id: str, name: str, policy_names: Iterable[str]
) -> tuple[Role | None, Mapping[str, str]]:
    """The role, with tags; and of the account's managed policies and the built-in ones that have these names in any
    case the unique ids by ARN, if the role is there."""
    names = sorted({each.lower() for each in policy_names})
    named = {_POLICY.format(number): each for number, each in enumerate(names)}
    statement = _role_and_policies(len(names))
    role, related = statement.row_and_related(account_id=account_id, name_key=name.lower(), **named)
    if role is not None:
        _hand_tags(role, ((key, value) for kind, _, _, key, value in related if kind == "tag"))
    policies = (each for kind, *each in related if kind == "policy")
    return role, {policy_arn(owner or None, path, name): unique_id for owner, path, name, unique_id in policies}


def read_group(account_id: str, name: str) -> Group | None:
    return next(iter(_GROUPS.rows(account_id=account_id, name_key=name.lower())), None)


def read_machine_with_role(machine_id: str, role_id: str) -> Machine | None:
    """The machine, if the role of that unique id is in the profile that it has."""
    return next(iter(_MACHINES.rows(machine_id=machine_id, role_id=role_id)), None)


def _hand_tags(role: Role, tags: Iterable[tuple[str, str]]) -> None:
    made = [RoleTag(role_id=role.pk, key=key, key_folded=key.casefold(), value=value) for key, value in tags]
    set_prefetched(role, "tags", made)


def _given(tags: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, str]]:
    """What has no tag comes once, with none."""
    return ((key, value) for key, value in tags if key is not None)
