"""The Resource or NotResource element of a statement, compiled: sorted by how much work each entry is to compare."""

from collections.abc import Iterable, Iterator

from policies.engine.arn import complete
from policies.engine.open_patterns import OpenPattern
from policies.engine.patterns import Glob, compile_glob
from policies.engine.request import Request
from policies.engine.variables import has_variable, split


class ResourceMatcher:
    """Whether a resource is meant. A trust policy, which has neither element, means its role."""

    __slots__ = ("everything", "exact", "globs", "guard", "negated", "open_ones", "prefixes")

    def __init__(self, texts: Iterable[str], *, negated: bool, variables: bool, complete_arns: bool) -> None:
        exact: list[str] = []
        prefixes: list[str] = []
        globs: list[Glob] = []
        open_ones: list[OpenPattern] = []
        for text in texts:
            if (variables and "${" in text) or (complete_arns and is_short(text)):
                _add_parts(text, variables, complete_arns, globs, open_ones)
            elif "?" in text or "*" in text[:-1]:
                globs.append(compile_glob(text))
            elif text.endswith("*"):
                prefixes.append(text[:-1])
            else:
                exact.append(text)
        self.negated = negated
        self.everything = not negated and "" in prefixes
        self.exact = frozenset(exact)
        self.prefixes = tuple(prefixes)
        self.globs = tuple(globs)
        self.open_ones = tuple(open_ones)
        self.guard = ("",) if negated else tuple(self._beginnings())

    def _beginnings(self) -> Iterator[str]:
        """Beginnings one of which every matching resource has: one look spares most of the work."""
        yield from self.exact
        yield from self.prefixes
        yield from (beginning for beginning, _, _ in self.globs)
        yield from (pattern.beginning for pattern in self.open_ones)

    @property
    def entries(self) -> int:
        return len(self.exact) + len(self.prefixes) + len(self.globs) + len(self.open_ones)

    def matches(self, request: Request) -> bool:
        if self.everything:
            return True
        return request.resource.startswith(self.guard) and self._listed(request) is not self.negated

    def _listed(self, request: Request) -> bool:
        resource = request.resource
        if resource in self.exact or resource.startswith(self.prefixes):
            return True
        for beginning, ending, pattern in self.globs:
            at_ends = resource.startswith(beginning) and resource.endswith(ending, len(beginning))
            if at_ends and (pattern is None or pattern.matches(resource)):
                return True
        for open_one in self.open_ones:
            # A variable without a value matches no resource, in NotResource too.
            if resource.startswith(open_one.beginning) and open_one.goes_on(resource, request):
                return True
        return False


def is_short(text: str) -> bool:
    """Whether an ARN lacks fields; one whose colons may stand in a variable is looked at part by part."""
    return text.startswith("arn:") and text.count(":") < 5


def _add_parts(
    text: str, variables: bool, complete_arns: bool, globs: list[Glob], open_ones: list[OpenPattern]
) -> None:
    parts = split(text, active=variables)
    if complete_arns and text.startswith("arn:"):
        parts = complete(parts)
    if has_variable(parts):
        open_ones.append(OpenPattern(parts))
    else:
        globs.append(compile_glob(parts))
