"""Links that work once, for one purpose, for an hour. The database holds only their hash."""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from access.models import OneTimeToken, TokenPurpose
from access.tokens import new_token, same, token_hash
from accounts.models import Account, RootUser
from audit import clock
from audit.models import Event

LIFETIME = timedelta(hours=1)
_OPENED = "the first account was opened"


def issue(purpose: TokenPurpose, *, account: Account | None = None, binding: str = "") -> str:
    """Returns the token, the only time. `binding` names the state in which it is worth something."""
    token, now = new_token(), clock.now()
    OneTimeToken.objects.filter(expires_at__lt=now - LIFETIME, used_at=None).delete()
    OneTimeToken.objects.create(
        token_hash=token_hash(token, purpose),
        purpose=purpose,
        account=account,
        binding=binding,
        expires_at=now + LIFETIME,
    )
    return token


def look_up(token: str, purpose: TokenPurpose) -> OneTimeToken | None:
    """The row of a token that would still work; looking uses nothing up."""
    return (
        OneTimeToken.objects.select_related("account__root_user")
        .filter(token_hash=token_hash(token, purpose), purpose=purpose, used_at=None, expires_at__gt=clock.now())
        .first()
    )


def redeem(row: OneTimeToken) -> bool:
    """Use it up; of two requests at once only one gets True."""
    now = clock.now()
    return OneTimeToken.objects.filter(pk=row.pk, used_at=None, expires_at__gt=now).update(used_at=now) == 1


def set_up_link() -> str | None:
    """A fresh link to open the first account; None once there has ever been one."""
    if was_ever_opened():
        return None
    return settings.SITE_URL + reverse("access:set-up", args=[issue(TokenPurpose.SET_UP)])


def was_ever_opened() -> bool:
    """Remembered beside the accounts, so that deleting them all does not hand the console to whoever asks first."""
    return (
        Account.objects.exists()
        or OneTimeToken.objects.filter(pk=_opened_mark()).exists()
        or Event.objects.filter(action="iamconsole:CreateAccount").exists()
    )


def close_set_up() -> bool:
    """Write down that set-up is over. False when it was over already; of two requests at once only one gets True."""
    now = clock.now()
    try:
        with transaction.atomic():
            OneTimeToken.objects.create(
                token_hash=_opened_mark(), purpose=TokenPurpose.SET_UP, created_at=now, expires_at=now, used_at=now
            )
    except IntegrityError:
        return False
    return True


def _opened_mark() -> str:
    return token_hash(_OPENED, TokenPurpose.SET_UP)


def root_binding(root_user: RootUser) -> str:
    """What a link for a new root password is bound to: a change of password or address ends it."""
    return token_hash(f"{root_user.get_session_auth_hash()}/{root_user.email_key}", TokenPurpose.ROOT_PASSWORD_RESET)


def root_of(row: OneTimeToken | None) -> RootUser | None:
    """The root user whom the link is still good for."""
    root_user: RootUser | None = getattr(row.account, "root_user", None) if row and row.account else None
    if row is None or root_user is None or not same(row.binding, root_binding(root_user)):
        return None
    return root_user
