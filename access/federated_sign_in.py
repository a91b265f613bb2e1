"""Coming into the console as somebody whom a provider vouches for: the roles that are open, the one that is chosen, and
its session. How a provider says who somebody is, is its own (`saml_sign_in`, `oidc_sign_in`).

Between two pages everything is in a sealed text that only this browser can give back, once; nothing is stored.
"""

import json
import secrets
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from access import sessions
from access.assume_role import NotAllowed, find_role
from access.federated_roles import FederatedIdentity, assume_as
from access.sign_in import LOGIN
from access.temporary_credentials import LONGEST_SESSION, SessionRequest
from audit import clock
from audit.errors import ServiceError
from audit.models import Outcome
from audit.principal import Origin, anonymous
from audit.services import record
from federation import one_time
from federation.errors import InvalidIdentityToken
from federation.models import OIDCProvider, SAMLProvider
from federation.services.oidc_sign_in import enabled_sign_ins
from identities.sealed import box
from identities.secretbox import SecretUnreadable

CHOOSE_WITHIN = timedelta(minutes=5)
USUAL_SECONDS = 3600
# As the audit trail names the ways in.
_PAGES = {"AssumeRoleWithSAML": "saml", "AssumeRoleWithWebIdentity": "oidc"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One role that a response opens."""

    who: FederatedIdentity
    role_arn: str
    session_name: str
    seconds: int
    came_from: str


def record_refusal(provider: SAMLProvider | OIDCProvider, error: ServiceError, origin: Origin) -> None:
    """For the account's own people: outsiders are told less."""
    nobody = anonymous(origin, provider.account_id)
    reason = error.detail if isinstance(error, InvalidIdentityToken) else error.message
    record(
        nobody,
        LOGIN,
        provider.arn,
        outcome=Outcome.FAILURE,
        error_code=error.code,
        explanation=error.explanation if isinstance(error, NotAllowed) else None,
        reason=reason,
    )


def sealed(choices: list[Choice], browser: str) -> str:
    """The choices as a text that only this browser can give back, for a few minutes."""
    until = clock.now() + CHOOSE_WITHIN
    people: list[FederatedIdentity] = []
    for choice in choices:
        people += [] if choice.who in people else [choice.who]
    rows = [{**_plain(choice), "who": people.index(choice.who)} for choice in choices]
    whose = [_packed(who) for who in people]
    content = {"id": secrets.token_hex(16), "until": until.timestamp(), "people": whose, "choices": rows}
    return box().seal(json.dumps(content), f"role-choice:{browser}")


def _plain(choice: Choice) -> dict[str, object]:
    """All but the person, who is the same for many roles."""
    return {each.name: getattr(choice, each.name) for each in fields(choice) if each.name != "who"}


def _packed(who: FederatedIdentity) -> dict[str, object]:
    return {**asdict(who), "not_after": who.not_after.timestamp() if who.not_after else None}


def chosen(text: str, browser: str, role_arn: str) -> Choice:
    """The choice that was made, which can be made once. Raises NotAllowed."""
    try:
        content = json.loads(box().open(text, f"role-choice:{browser}"))
    except SecretUnreadable as error:
        raise sign_in_over() from error
    until = datetime.fromtimestamp(content["until"], tz=clock.now().tzinfo)
    row = next((row for row in content["choices"] if row["role_arn"] == role_arn), None)
    if row is None or until <= clock.now() or not one_time.use("role-choice", content["id"], until):
        raise sign_in_over()
    return Choice(**{**row, "who": _unpacked(content["people"][row["who"]])})


def sign_in_over() -> NotAllowed:
    return NotAllowed("This sign-in is over. Begin it anew.")


def _unpacked(who: dict[str, Any]) -> FederatedIdentity:
    ends = who["not_after"]
    facts = {
        **who,
        "keys": {key: tuple(values) for key, values in who["keys"].items()},
        "transitive_keys": tuple(who["transitive_keys"]),
        "not_after": datetime.fromtimestamp(ends, tz=clock.now().tzinfo) if ends else None,
    }
    return FederatedIdentity(**facts)


def _still_vouches(who: FederatedIdentity) -> bool:
    """Asked again at the last moment: the provider may have been switched off since, or be gone."""
    account_id, _, resource = who.provider.split(":", 4)[4].partition(":")
    kind, _, name = resource.partition("/")
    if kind == "saml-provider":
        return SAMLProvider.objects.filter(account_id=account_id, name=name, disabled_at=None).exists()
    return enabled_sign_ins().filter(provider__account_id=account_id, provider__url=name).exists()


@transaction.atomic
def enter(choice: Choice, origin: Origin) -> sessions.OpenedSession:
    """Open the console for the person as the role. Raises NotAllowed, also when the provider is gone meanwhile."""
    account_id = choice.who.provider.split(":")[4]
    if not _still_vouches(choice.who):
        raise sign_in_over()
    requested = SessionRequest(name=choice.session_name, seconds=choice.seconds)
    made = assume_as(choice.who, find_role(choice.role_arn), requested, origin, longest=LONGEST_SESSION)
    kept = sessions.SessionCredentials(made.credentials.access_key_id, made.credentials.session_token)
    opened = sessions.open_federated_session(
        account_id=account_id,
        credentials=kept,
        expires_at=made.credentials.expires_at,
        origin=origin,
        came_from=choice.came_from,
    )
    record(
        choice.who.principal(account_id, origin),
        LOGIN,
        choice.role_arn,
        page=_PAGES[choice.who.operation],
        session=made.arn,
    )
    return opened
