"""Which RSA keys of others are taken, whether a key set or a certificate brings them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from federation.rsa_keys import problem


@pytest.mark.bar(106, 116)
@pytest.mark.parametrize(
    ("bits", "exponent", "said"),
    [
        (2048, 65537, ""),
        (16384, 2**32 - 1, ""),
        (2047, 65537, "of 2047 bits; it needs 2048 or more"),
        (16385, 65537, "too large"),
        (3072, 2**32 + 1, "unusual exponent"),
        (3072, 2**3071 + 1, "unusual exponent"),
    ],
    ids=["usual", "largest", "weak", "too large", "odd", "as long as the key"],
)
def test_only_usual_ones_are_taken(bits: int, exponent: int, said: str) -> None:
    told = problem(RSAPublicNumbers(exponent, 2**bits - 1).public_key())
    assert said in told and bool(said) == bool(told)
