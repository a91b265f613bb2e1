"""Whether two patterns can name the same thing: a Resource of a policy, and the ARN of a kind of resource."""

import re
from functools import lru_cache

from policies.engine.arn import FIELDS, split_arn
from policies.engine.patterns import Pattern, compile_pattern

# A name that holds no slash, in the place of a placeholder: buckets' names. All other placeholders may hold any text.
NO_SLASH = "\0"
_STARS = ("*", NO_SLASH)
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_STAR_RUN = re.compile(r"\*{2,}")
_LONGEST = 4_000


def arns_overlap(resource: str, kind: str) -> bool:
    """Whether a resource of a policy (perhaps cut short, with wildcards and variables) can name a resource of a kind,
    whose ARN has `*` for each placeholder."""
    named, fields = _fields_of_resource(resource), _fields_of_kind(kind)
    if len(fields) < FIELDS:
        return True
    for one, other in zip(named[1:5], fields[1:5], strict=True):
        if one != other and not _field_fits(one, other):
            return False
    return overlap(named[5], fields[5])


@lru_cache(maxsize=1024)
def _fields_of_resource(resource: str) -> tuple[str, ...]:
    fields = split_arn(_STAR_RUN.sub("*", _VARIABLE.sub("*", resource)))
    return (*fields, *["*"] * (FIELDS - len(fields)))


@lru_cache(maxsize=4096)
def _fields_of_kind(kind: str) -> tuple[str, ...]:
    return tuple(split_arn(kind))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Pattern:
    return compile_pattern(pattern)


def _field_fits(named: str, field: str) -> bool:
    if field == "*":
        # A placeholder stands for something.
        return named != ""
    return ("*" in f"{named}{field}" or "?" in named) and overlap(named, field)


def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns. Two long ones are taken to overlap, to keep the work small."""
    if "?" not in one and "*" not in one[:-1] and (found := _common_cases(one, other)) is not None:
        return found
    if not _beginnings_agree(one, other):
        return False
    return len(one) * len(other) > _LONGEST or _walk(one, other)


def _common_cases(one: str, other: str) -> bool | None:
    """A name or a beginning (`user/*`) against the simple patterns that most kinds have; None for the others."""
    beginning = one.removesuffix("*")
    if NO_SLASH in other:
        if other == NO_SLASH:
            return "/" not in beginning
        return ("/" in one or one.endswith("*")) if other == f"{NO_SLASH}/*" else None
    if beginning == one:
        return _compiled(other).matches(one)
    if other.find("*") == len(other) - 1:
        known = other[:-1]
        return beginning.startswith(known) or known.startswith(beginning)
    return None


def _walk(one: str, other: str) -> bool:
    seen = {(0, 0)}
    stack = [(0, 0)]
    while stack:
        here = stack.pop()
        if here == (len(one), len(other)):
            return True
        steps = (step for step in _steps(one, other, *here) if step not in seen)
        for step in steps:
            seen.add(step)
            stack.append(step)
    return False


def _beginnings_agree(one: str, other: str) -> bool:
    for a, b in zip(one, other, strict=False):
        if a in _STARS or b in _STARS:
            return True
        if a != b and "?" not in (a, b):
            return False
    return True


def _steps(one: str, other: str, i: int, j: int) -> list[tuple[int, int]]:
    a, b = one[i : i + 1], other[j : j + 1]
    steps = []
    if a in _STARS and a:
        steps.append((i + 1, j))
        if b and b not in _STARS and _takes(a, b):
            steps.append((i, j + 1))
    if b in _STARS and b:
        steps.append((i, j + 1))
        if a and a not in _STARS and _takes(b, a):
            steps.append((i + 1, j))
    if a and b and a not in _STARS and b not in _STARS and (a == b or "?" in (a, b)):
        steps.append((i + 1, j + 1))
    return steps


def _takes(star: str, sign: str) -> bool:
    return star == "*" or sign != "/"
