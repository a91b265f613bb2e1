"""Looking for what a call is about while it is looked up who asks. A key's id tells its account, so that PostgreSQL can
be asked both at once; what it finds is used only when key, signature and permissions have been looked at as ever."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from accounts.ids import account_of_access_key
from api import actions, shapes, targets
from identities.reading import group_ahead, named_role_ahead, user_ahead

_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
# By what finds the target of an action: the input that names it, and who asks for it.
_READERS: Mapping[object, tuple[str, Callable[[str, str], None]]] = {
    targets.user: ("UserName", user_ahead),
    targets.role: ("RoleName", named_role_ahead),
    targets.group: ("GroupName", group_ahead),
}


def look_for_target(service: str, table: Mapping[str, str], access_key_id: str) -> None:
    """Ask for the target of the call that these parameters are, if it is one that goes by a name. Nothing is told of
    what may be wrong with them: that is for who reads them."""
    operation = shapes.find_operation(service, table.get("Action", ""))
    action = actions.find(operation.action) if operation else None
    parameter, ask = _READERS.get(action.resource if action else None, ("", None))
    name = table.get(parameter, "")
    if ask and _NAME.fullmatch(name):
        with suppress(ValueError):  # an id that tells no account
            ask(account_of_access_key(access_key_id), name)
