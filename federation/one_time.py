"""What may be used once, by whichever process sees it first: ids of assertions, states of sign-ins. Only hashes."""

import hashlib
from datetime import datetime, timedelta
from typing import Literal

from django.db import IntegrityError, transaction

from audit import clock
from audit.periodic import Periodic
from federation.models import UsedOnce

_SWEEPING = Periodic(timedelta(minutes=1))
Kind = Literal["saml-assertion", "oidc-state", "role-choice"]


def use(kind: Kind, name: str, until: datetime) -> bool:
    """True for the first who asks, for everybody else False, until its time is over and it is worth nothing anyway."""
    if _SWEEPING.is_due():
        UsedOnce.objects.filter(expires_at__lt=clock.now()).delete()
    digest = hashlib.sha256(f"{kind}\n{name}".encode()).hexdigest()
    try:
        with transaction.atomic():
            UsedOnce.objects.create(digest=digest, expires_at=until)
    except IntegrityError:
        return False
    return True
