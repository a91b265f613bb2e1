"""A root user who forgot the password: a link by mail, and the new password that it allows.

For an address that nobody has, the same rows are written, only that nothing ever fits them and no mail is written.
"""

from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from access import one_time, throttle
from access.models import OneTimeToken, TokenPurpose
from access.sign_in import find_root
from accounts.mails import send
from accounts.models import RootUser
from accounts.rules import comparison_key
from accounts.services import change_root_password
from audit.errors import ConcurrentModification
from audit.models import Outcome
from audit.principal import Origin, anonymous, root_principal
from audit.services import record
from identities.services.mfa import has_mfa


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str
    address: str

    def send(self) -> None:
        send(self.subject, self.text, self.address)


def ask(email: str, *, origin: Origin) -> Mail | None:
    """The mail to be sent, after the answer, to the address that is stored; None when there is no such root user.

    Raises Throttled, by the address typed as well as by where it comes from.
    """
    throttle.step_try(throttle.STEPS_FROM_ADDRESS, origin.address)
    throttle.step_try(throttle.MAILS_TO_ONE, comparison_key(email.strip()))
    person = find_root(email)
    root_user = person.owner if isinstance(person.owner, RootUser) else None
    binding = one_time.root_binding(root_user) if root_user else ""
    with transaction.atomic():
        token = one_time.issue(TokenPurpose.ROOT_PASSWORD_RESET, account=person.account, binding=binding)
        outcome = Outcome.SUCCESS if root_user else Outcome.FAILURE
        nobody = replace(anonymous(origin, person.account_id), name=person.name)
        record(nobody, "signin:PasswordRecoveryRequested", person.arn, outcome=outcome)
    return _mail(root_user, token, origin) if root_user else None


def _mail(root_user: RootUser, token: str, origin: Origin) -> Mail:
    # Built from the configured address alone: what a request says about its host is anybody's to write.
    link = settings.SITE_URL + reverse("access:reset-password", args=[token])
    name = root_user.account.name
    text = (
        f"Somebody{f' at {origin.address}' if origin.address else ''} asked for a new password of the root user of the "
        f"account {name} ({root_user.account_id}).\n\nIf that was you, open this link within an hour. It works once:"
        f"\n\n{link}\n\nIf it was not you, nothing needs to be done: without the link nothing changes.\n"
    )
    return Mail(f"[{name}] A new password for the root user", text, root_user.email)


def root_user_of(token: str) -> tuple[OneTimeToken, RootUser] | None:
    """The link's row and who it is for; None when it was used, is over, or the password or address has changed."""
    row = one_time.look_up(token, TokenPurpose.ROOT_PASSWORD_RESET)
    root_user = one_time.root_of(row)
    return (row, root_user) if row and root_user else None


@transaction.atomic
def complete(row: OneTimeToken, root_user: RootUser, password: str, *, origin: Origin) -> None:
    """Set the new password and use the link up. It signs nobody in, so MFA is still asked.

    Raises PasswordPolicyViolation, and then the link stays good; ConcurrentModification when it was just used.
    """
    if not one_time.redeem(row):
        raise ConcurrentModification("This link was used just now.")
    by = root_principal(root_user.account_id, origin=origin)
    factor = has_mfa(root_user.account_id, None)
    change_root_password(by=by, root_user=root_user, new_password=password, has_mfa=factor)
    record(by, "signin:PasswordRecoveryCompleted", root_user.arn)
