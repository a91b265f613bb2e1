"""What is asked of the engine: one action of one principal on one resource, and the policies that have a say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from policies.engine.document import Document

if TYPE_CHECKING:
    from policies.engine.plan import Layer, Plan

MAX_PLANS = 512


@dataclass(frozen=True, slots=True)
class RequestPrincipal:
    """Who asks. `type` is one of root, user, role, role-session, federated-user (a session of a user), service,
    federated (signed in at an identity provider, whose ARN or host name is `arn`), anonymous.

    `issuer_arn` is the role or user behind a session; without it a role session's role is told from the session's
    ARN, whose role has lost its path. `unique_id` may carry the session name after a colon, as `aws:userid` does.
    """

    arn: str
    account_id: str
    type: str
    unique_id: str = ""
    issuer_arn: str = ""
    canonical_id: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One question. The keys of `context` compare ignoring case; a key that is not there is absent, and of one that is
    there in several spellings nobody knows which is meant.

    An empty `resource_account`, or "aws" as in the ARNs of built-in policies, is the principal's own account.
    """

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...] | str] = field(default_factory=dict)
    principal: RequestPrincipal | None = None
    resource_account: str = ""
    # The context by keys in lower case, from the first one asked for.
    lowered: dict[str, tuple[str, ...]] | None = field(default=None, init=False, repr=False, compare=False)

    def values(self, key: str) -> tuple[str, ...] | None:
        """The values of a condition key, which is given in lower case; None when the request has none."""
        lowered = self.lowered
        if lowered is None:
            lowered = self._lower()
        return lowered.get(key)

    def _lower(self) -> dict[str, tuple[str, ...]]:
        lowered: dict[str, tuple[str, ...]] = {}
        for key, values in self.context.items():
            # A bare string would otherwise be taken for the sequence of its characters, and an empty list for a value.
            if isinstance(values, str):
                lowered[key.lower()] = (values,)
            elif values:
                lowered[key.lower()] = tuple(values)
        object.__setattr__(self, "lowered", lowered)
        return lowered

    def readings(self) -> Iterator["Request"]:
        """The request as often as there are ways to take only one of such keys."""
        spellings: dict[str, list[str]] = {}
        for key in self.context:
            spellings.setdefault(key.lower(), []).append(key)
        for meant in product(*spellings.values()):
            yield replace(self, context={key: self.context[key] for key in meant})

    @property
    def crosses_accounts(self) -> bool:
        principal = self.principal
        if principal is None or self.resource_account in ("", "aws"):
            return False
        return principal.account_id != self.resource_account


@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """A document and how it came to apply: the policy (ARN, or name of an inline one) and the ARN of the user, group
    or role through which it does. `digest` names the text, for whoever explains a decision; the engine has no use for
    it."""

    source: str
    origin: str
    document: Document
    digest: str = ""


class Plans(dict[str, "Plan"]):
    """What is prepared for a policy set: a plan for each action, as requests write it, and the layers they share."""

    __slots__ = ("layers",)

    def __init__(self) -> None:
        super().__init__()
        self.layers: dict[tuple[object, ...], Layer] = {}


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All documents that have a say, by layer. It carries what is compiled from them, so keep it for as long as they
    stay the same.

    `session` None means no session policy, `()` one that allows nothing. Service and resource control policies are
    given by level (organization root, unit, account): every level must allow. `endpoint` are the policies of the
    network endpoint a request came through, None when it came through none. `resource_required` says that the
    resource's own policy must allow as well as the identity's, as key policies do; trust policies always do.
    """

    identity: tuple[AttachedPolicy, ...] = ()
    boundary: AttachedPolicy | None = None
    session: tuple[AttachedPolicy, ...] | None = None
    resource: AttachedPolicy | None = None
    service_control: tuple[tuple[AttachedPolicy, ...], ...] = ()
    resource_control: tuple[tuple[AttachedPolicy, ...], ...] = ()
    resource_required: bool = False
    endpoint: tuple[AttachedPolicy, ...] | None = None
    plans: Plans = field(default_factory=Plans, init=False, repr=False, compare=False)
