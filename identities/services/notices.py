"""Telling the owner of an account by mail what happened to its credentials."""

from django.conf import settings

from accounts.mails import send_after_commit
from accounts.models import Account, RootUser
from audit import clock
from audit.principal import Principal
from identities.models import User


def notify(*, account: Account, user: User | None, subject: str, text: str) -> None:
    """Mail the account's root user once the change is committed; whoever read the account has best read them with it.
    An IAM user has no address, so what concerns one goes to root too. A mail that can't be sent is logged and undoes
    nothing; it never holds a secret."""
    root: RootUser | None = getattr(account, "root_user", None)
    if root is None:
        return
    about = f"IAM user {user.name}" if user else "The root user"
    body = f"Account: {account.name} ({account.id})\nAbout: {about}\n\n{text}\n\n{settings.SITE_URL}/\n"
    send_after_commit(f"[{account.name}] {subject}", body, root.email)


def notify_change(*, by: Principal, user: User | None, account: Account, what: str, advice: str) -> None:
    """`what` is a sentence without its full stop; who, when and from where are added."""
    who = "the root user" if by.is_root else by.name or by.arn
    where = f" from {by.origin.address}" if by.origin.address else ""
    text = f"{what}, by {who}{where}, at {clock.now():%Y-%m-%d %H:%M} UTC.\n\n{advice}"
    notify(account=account, user=user, subject=what, text=text)
