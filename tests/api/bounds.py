"""How many questions to the database a successful call may take: three to read, six to change. Every call that a test
of this folder makes is held to it, so that all operations are, in whatever state a test brings about.

Statements that read or write are counted. Beginning and ending a transaction or a savepoint is none, and neither is
what is done once in a while: compiling a document that this process has not seen, noting that a key, a role or an
action was used, looking whether a machine is still registered that signs with what it was given, sweeping out what is
over (UNUSUAL), counting under a lock near a quota.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from api import dispatch, query
from api.wire import WireRequest
from audit.principal import Origin

READS = ("Get", "List", "Simulate", "Decode")
# These make something that the trail tells of.
CHANGES = ("GetSessionToken", "GetFederationToken", "GetWebIdentityToken")
OF_READS, OF_CHANGES = 3, 6
CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK", "COMMIT")
SWEPT = ("access_throttle", "access_accessreport", "federation_usedonce")
UNUSUAL: tuple[Callable[[str], bool], ...] = (
    lambda sql: "last_used" in sql and sql.startswith("UPDATE"),
    lambda sql: sql.startswith('INSERT INTO "access_actionuse"'),
    lambda sql: sql.lstrip("(").startswith('SELECT "policies_policyversion"."digest"') and " UNION " in sql,
    lambda sql: sql.startswith('SELECT "identities_machine"') and "profile" in sql,
    lambda sql: sql.startswith("SHOW max_connections"),
    lambda sql: sql.startswith("DELETE FROM") and any(f'"{each}"' in sql for each in SWEPT) and " < %s" in sql,
)


def bound(name: str) -> int:
    """What holds for a read, or for a change."""
    return OF_READS if name.startswith(READS) and name not in CHANGES else OF_CHANGES


def _near_a_quota(asked: list[str]) -> int:
    """Where there may be room for just one more, the account is locked and its things are counted again."""
    looked = ['AS "at_most"' in sql for sql in asked if sql.startswith('SELECT "accounts_account"')]
    return 2 if len(looked) > 1 and looked[0] else 0


def counts(sql: str) -> bool:
    return not sql.startswith(CONTROL) and not any(is_unusual(sql) for is_unusual in UNUSUAL)


def held(answered: Callable[[WireRequest, Origin], dispatch.Reply]) -> Callable[[WireRequest, Origin], dispatch.Reply]:
    """The dispatcher, with an eye on each call that succeeds."""

    def watched(request: WireRequest, origin: Origin) -> dispatch.Reply:
        asked: list[str] = []

        def note(execute: Callable[..., Any], sql: Any, parameters: Any, many: bool, context: Any) -> Any:
            asked.append(str(sql))
            return execute(sql, parameters, many, context)

        with connection.execute_wrapper(note):
            reply = answered(request, origin)
        name = query.parameters(request.query, request.body).get("Action", "")
        told = [sql for sql in asked if counts(sql)]
        if len(told) > bound(name) + _near_a_quota(asked):
            pytest.fail(f"{name} asked {len(told)} times:\n" + "\n".join(told))
        return reply

    return watched
