"""The secret box with this installation's keys."""

from functools import cache

from django.conf import settings

from identities.secretbox import SecretBox


@cache
def box() -> SecretBox:
    return SecretBox(settings.ENCRYPTION_KEYS)
