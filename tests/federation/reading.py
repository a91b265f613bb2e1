"""Whom the tests of SAML responses believe, and at what time."""

import base64
from datetime import UTC, datetime
from typing import Any

from federation.saml.response import Trust, read_response
from tests.federation.companies import ENTITY_ID, certificate_text
from tests.federation.forge import ACS, AUDIENCE, encoded

PERSON = "jane@corp.example"


def trust(*keys: str, must_encrypt: bool = False, private_keys: tuple[str, ...] = ()) -> Trust:
    return Trust(
        entity_id=ENTITY_ID,
        certificates=tuple(base64.b64decode(certificate_text(key)) for key in keys or ("corp",)),
        private_keys=private_keys,
        must_encrypt=must_encrypt,
        audiences=frozenset({AUDIENCE}),
        recipients=frozenset({ACS}),
    )


def read(response: Any, who: Trust | None = None, at: datetime | None = None) -> Any:
    text = response if isinstance(response, str) else encoded(response)
    return read_response(text, who or trust(), at or datetime.now(UTC))
