"""The request as the views of this app see it: besides the principal also where it came from and by which session."""

from access.models import ConsoleSession
from audit.http import ConsoleRequest
from audit.principal import Origin


class AccessRequest(ConsoleRequest):
    """`console_session` is None on public pages for a stranger; pages for signed-in people always have one."""

    origin: Origin
    console_session: ConsoleSession | None
    is_role_over: bool
