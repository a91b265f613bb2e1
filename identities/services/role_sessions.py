"""Revoking the sessions of a role, as the AWS console does (user guide, id_roles_use_revoke-sessions): an inline policy
denies everything to sessions begun before now. Nothing about a session is stored, and yet it ends at its next call."""

import json
from datetime import datetime

from audit import clock
from audit.principal import Principal
from identities.models import Role
from identities.services.inline_policies import put_role_policy

REVOKED = "AWSRevokeOlderSessions"


def revoke_sessions(*, by: Principal, role: Role) -> datetime:
    """End all sessions of a role that are under way; those begun later are not affected. Doing it again moves the time.

    Raises NoSuchEntity, UnmodifiableEntity, LimitExceeded.
    """
    now = clock.now()
    put_role_policy(by=by, role=role, name=REVOKED, document=_document(now))
    return now


def revoked_at(role: Role) -> datetime | None:
    """The moment before which sessions of a role do not count; None when they were never revoked."""
    row = role.inline_policies.filter(name=REVOKED).first()
    return row.updated_at if row else None


def _document(moment: datetime) -> str:
    # To the millisecond: a token's own time is cut to the second, so one begun in this second is caught as well.
    before = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
    statement = {
        "Effect": "Deny",
        "Action": ["*"],
        "Resource": ["*"],
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": before}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
