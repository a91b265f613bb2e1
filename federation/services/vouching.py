"""Whether an outside provider still stands behind the sessions that began with its word."""

from datetime import datetime, timedelta

from federation.models import OIDCProvider, SAMLProvider

# Tokens tell when they were issued to the second.
_A_SECOND = timedelta(seconds=1)


def still_vouches(arn: str, issued_at: datetime) -> bool:
    """Whether it is there, not switched off, and not a new one of an old name. `arn` is the host of a provider that
    every account knows, or '' where nobody from outside vouched: those always do."""
    if not arn.startswith("arn:"):
        return True
    _, _, _, _, account_id, resource = arn.split(":", 5)
    kind, _, name = resource.partition("/")
    facts = {"account_id": account_id, "created_at__lt": issued_at + _A_SECOND}
    if kind == "saml-provider":
        return SAMLProvider.objects.filter(name=name, disabled_at=None, **facts).exists()
    return OIDCProvider.objects.filter(url=name, **facts).exists()
