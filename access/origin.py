"""Where a request came from. The address is the socket's, unless a number of trusted proxies is configured."""

import ipaddress
import uuid

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from audit.principal import Door, Origin


def origin_of(request: HttpRequest, door: Door, session_id: str = "") -> Origin:
    """Raises SuspiciousOperation (a plain 400) when a trusted proxy's header can't be read: never 'skip the check'."""
    return Origin(
        door=door,
        address=client_address(request),
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:512],
        request_id=str(uuid.uuid4()),
        session_id=session_id,
        secure=request.is_secure(),
    )


def client_address(request: HttpRequest) -> str:
    """With n trusted proxies, the n-th address from the right of X-Forwarded-For; what stands left of it anybody
    could have written."""
    proxies: int = settings.TRUSTED_PROXY_COUNT
    if proxies == 0:
        return str(request.META.get("REMOTE_ADDR", ""))
    chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if len(chain) < proxies:
        raise SuspiciousOperation("X-Forwarded-For is missing or shorter than the configured chain of proxies.")
    try:
        return str(ipaddress.ip_address(chain[-proxies]))
    except ValueError as error:
        raise SuspiciousOperation("X-Forwarded-For does not hold an address.") from error
