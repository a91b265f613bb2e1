"""Which RSA keys of others are taken: strong ones, and none that are made to cost us time. Pure."""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

SMALLEST, LARGEST = 2048, 16384
# Everybody's is 65537. One as long as the key makes each check twenty times as dear, and a provider brings many keys.
_LONGEST_EXPONENT = 32


def problem(key: RSAPublicKey) -> str:
    """What is wrong with a key, to go on after “a key”; '' for a usual one."""
    if key.key_size < SMALLEST:
        return f"of {key.key_size} bits; it needs {SMALLEST} or more"
    if key.key_size > LARGEST or key.public_numbers().e.bit_length() > _LONGEST_EXPONENT:
        return "whose signatures take too long to check: it has an unusual exponent, or is too large"
    return ""
