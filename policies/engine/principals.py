"""Whether a Principal or NotPrincipal element names who asks, and how closely (IAM User Guide, "Principal").

The closeness matters: a resource policy that names a session or a user grants by itself, one that names the role is
limited by boundary and session policy, one that names the account only lets the account decide.
"""

from policies.engine.arn import account_of, resource_part, split_arn
from policies.engine.document import Principals
from policies.engine.request import RequestPrincipal

NOBODY = 0
ACCOUNT = 1
EVERYONE = 2
BEHIND_SESSION = 3
EXACTLY = 4

_SESSIONS = ("role-session", "federated-user")


class PrincipalMatcher:
    """A Principal element, compiled."""

    __slots__ = ("accounts", "everyone", "federated", "names", "role_names", "services", "users")

    def __init__(self, principals: Principals) -> None:
        self.everyone = principals.everyone
        self.names = frozenset(principals.aws)
        self.accounts = frozenset(account_named(text) for text in principals.aws) - {""}
        self.role_names = frozenset(
            (account_of(text), text.rpartition("/")[2]) for text in principals.aws if is_role(text)
        )
        self.federated = frozenset(principals.federated)
        self.services = frozenset(principals.service)
        self.users = frozenset(principals.canonical_user)

    def closeness(self, who: RequestPrincipal | None) -> int:
        """How closely the element names a principal: one of the constants of this module."""
        if who is None or who.type == "anonymous":
            return EVERYONE if self.everyone else NOBODY
        if self._names(who):
            return EXACTLY if who.type != "role" else BEHIND_SESSION
        if self._names_behind(who):
            return BEHIND_SESSION
        if self.everyone:
            return EVERYONE
        return ACCOUNT if self._names_account(who) else NOBODY

    def exempts_from_deny(self, who: RequestPrincipal | None, *, crosses_accounts: bool) -> bool:
        """Whether NotPrincipal in a Deny leaves a principal out. It has to be named itself, not only its account; a
        session together with what is behind it; one of another account together with that account."""
        closeness = self.closeness(who)
        if self.everyone or who is None or closeness == NOBODY:
            return self.everyone
        if who.type in ("service", "federated"):
            return True
        if who.type == "root":
            return who.account_id in self.accounts
        named = self._names(who) and (who.type not in _SESSIONS or self._names_behind(who))
        return named and (not crosses_accounts or who.account_id in self.accounts)

    def _names(self, who: RequestPrincipal) -> bool:
        if who.type == "service":
            return who.arn in self.services
        if who.type == "federated":
            return who.arn in self.federated
        if who.arn in self.names:
            return True
        return who.type not in _SESSIONS and bool(who.unique_id) and who.unique_id in self.names

    def _names_behind(self, who: RequestPrincipal) -> bool:
        """Whether the element names the role or user a session belongs to, by ARN or by unique id."""
        if who.type not in _SESSIONS:
            return False
        issuer_id = who.unique_id.partition(":")[0]
        if issuer_id and issuer_id in self.names:
            return True
        if who.issuer_arn:
            return who.issuer_arn in self.names
        return who.type == "role-session" and (who.account_id, role_of_session(who.arn)) in self.role_names

    def _names_account(self, who: RequestPrincipal) -> bool:
        if who.type in ("service", "federated"):
            return False
        return who.account_id in self.accounts or (bool(who.canonical_id) and who.canonical_id in self.users)


def account_named(text: str) -> str:
    """The account that an AWS principal stands for as a whole: its id, or the ARN of its root; "" otherwise."""
    if len(text) == 12 and text.isascii() and text.isdigit():
        return text
    return account_of(text) if resource_part(text) == "root" else ""


def is_role(text: str) -> bool:
    fields = split_arn(text)
    return len(fields) == 6 and fields[2] == "iam" and fields[5].startswith("role/")


def role_of_session(arn: str) -> str:
    """The role's name in arn:aws:sts::account:assumed-role/name/session, which has no path."""
    kind, _, rest = resource_part(arn).partition("/")
    return rest.partition("/")[0] if kind == "assumed-role" else ""
