"""Outside providers for the tests of federation."""

from collections.abc import Iterator
from typing import Any

import pytest

from federation import key_sets
from tests.federation.issuers import Issuer, running_issuer


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    """An issuer on this machine, which the setting for development allows."""
    settings.FEDERATION_ALLOW_LOOPBACK = True
    key_sets.forget()
    with running_issuer() as running:
        yield running
    key_sets.forget()
