"""The service models' patterns are Java's regular expressions; this makes Python's of them. Pure.

They come from botocore's models only, never from a caller, and each is compiled once.
"""

import functools
import re

# \p{Z}: the separators, spelled out because Python has no class for them.
_SEPARATORS = r" \u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
_LETTER_OR_NUMBER = r"\p{L}\p{Z}\p{N}_"
# Written for code points above FFFF, which takes the long escape.
_ABOVE_FFFF = r"\u10000-\u10FFFF"


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""Compile a model's pattern, to be used with `fullmatch`. `\w` and `\d` are ASCII as in Java, `\p{L}` is not."""
    if r"\p{" in pattern:
        return re.compile(_unicode_classes(pattern))
    return re.compile(pattern.replace(_ABOVE_FFFF, r"\U00010000-\U0010FFFF"), re.ASCII)


def _unicode_classes(pattern: str) -> str:
    r"""Python's own `\w` is exactly letters, numbers and the underscore, so it stands for `\p{L}\p{N}_`."""
    translated = pattern.replace(_LETTER_OR_NUMBER, r"\w" + _SEPARATORS)
    if r"\p{" in translated:
        raise ValueError(f"The pattern {pattern!r} uses a class that is not known here.")
    return translated
