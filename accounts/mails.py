"""Mails of the console. They go out after the change is committed; one that can't be sent undoes nothing."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

logger = logging.getLogger("accounts.mails")

# Django's backends that bring a mail to no mailbox.
_TO_NO_MAILBOX = ("console", "dummy", "filebased")


def are_sent() -> bool:
    """Whether the operator has set mail up. Pages promise none otherwise."""
    return not any(f".{name}." in settings.EMAIL_BACKEND for name in _TO_NO_MAILBOX)


def send(subject: str, text: str, address: str) -> None:
    """Send now. A failure is for the operator's log: whoever asked must not learn from it whether a mailbox exists."""
    # A name with a line feed must not write a second header.
    title = " ".join(subject.split())
    try:
        send_mail(title, text, settings.DEFAULT_FROM_EMAIL, [address])
    except (OSError, SMTPException):
        logger.exception("A mail could not be sent.")


def send_after_commit(subject: str, text: str, address: str) -> None:
    transaction.on_commit(lambda: send(subject, text, address))
