"""Changing the root user's e-mail address: a link to the new one proves that somebody reads it.

The link holds what it is for, signed, with the present password and address in the signature: it lasts an hour, and
after the change, or a change of password, it is worth nothing. Without root's own session it does nothing at all.
"""

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from accounts.mails import send_after_commit
from accounts.models import RootUser
from accounts.rules import comparison_key
from accounts.services import change_root_email
from audit.errors import InvalidUserType, NoSuchEntity
from audit.http import MailCount
from audit.principal import Principal
from audit.services import record

LIFETIME_SECONDS = 3600


@transaction.atomic
def start(*, by: Principal, root_user: RootUser, email: str, count_mail: MailCount) -> None:
    """Send the link to the new address. Where another root user has it already the mail says that instead: the page
    answers the same, so that it tells nobody which addresses are in use. Raises what `count_mail` does."""
    if not by.is_root:
        raise InvalidUserType("Only the root user of the account can do this.")
    count_mail(by=by, to=email)
    name = root_user.account.name
    if RootUser.objects.filter(email_key=comparison_key(email)).exclude(pk=root_user.pk).exists():
        text = "Somebody wanted to use this address for another account, but it is yours already. Nothing was changed."
    else:
        link = settings.SITE_URL + reverse("accounts:accept-primary-email-update", args=[_sealed(root_user, email)])
        text = (
            f"This address is to become the root user's of the account {name} ({root_user.account_id}).\n\n"
            f"Sign in as the root user and open this link within an hour:\n\n{link}\n\nIf you know nothing of it, do "
            "nothing: then nothing changes.\n"
        )
    send_after_commit("Your address for a root user of IAM Console", text, email)
    record(by, "account:StartPrimaryEmailUpdate", root_user.arn, email=email)


def wanted(root_user: RootUser, sealed: str) -> str:
    """The address that a link of this root user stands for. Raises NoSuchEntity for any other link."""
    try:
        email = signing.loads(sealed, salt=_salt(root_user), max_age=LIFETIME_SECONDS)
    except signing.BadSignature as error:
        raise NoSuchEntity("This link is over. Ask for a new one in the account settings.") from error
    return str(email)


def accept(*, by: Principal, root_user: RootUser, sealed: str) -> RootUser:
    """Make the address of the link root's. Raises NoSuchEntity, EntityAlreadyExists."""
    return change_root_email(by=by, root_user=root_user, email=wanted(root_user, sealed))


def _sealed(root_user: RootUser, email: str) -> str:
    return signing.dumps(email, salt=_salt(root_user))


def _salt(root_user: RootUser) -> str:
    return f"accounts.email-change:{root_user.pk}:{root_user.email_key}:{root_user.get_session_auth_hash()}"
