"""A route table: which action on which resource a request to somebody's own service is. One route per line, the first
that fits decides, and what none fits is nobody's. Pure.

    GET,HEAD  api.example.com  /orders/{order}    orders:GetOrder  arn:aws:orders::{account}:order/{order}
    *         api.example.com  /files/{path...}   files:Use        arn:aws:files:::{path}
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

MOST_ROUTES = 200
LONGEST_TABLE = 32 * 1024
# What a template may hold besides the words of its path.
ACCOUNT = "account"

_METHODS = re.compile(r"\*|[A-Z]{1,20}(?:,[A-Z]{1,20}){0,19}")
_HOST = re.compile(r"\*|(?:\*\.)?[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,20}")
_ACTION = re.compile(r"[a-z0-9-]{1,64}:[A-Za-z0-9]{1,64}")
_WORD = re.compile(r"\{([a-z][a-z0-9_]{0,31})(\.\.\.)?\}")
_IN_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_PORT = re.compile(r":[0-9]+$")
# What has to be percent-encoded: raw, some servers take # or a space for the end of the path, and letters beyond ASCII
# for those of one encoding or another.
_RAW = re.compile(r"[^!-~]|#")
_ESCAPED = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What another server may read otherwise than we do: separators, a path's parameters, what is still encoded.
_AMBIGUOUS = re.compile(r"[/\\;\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}")


class RouteProblem(ValueError):
    """A line that is no route; the message names it."""


class AmbiguousPath(ValueError):
    """A path that two servers could read in two ways: who decides on one reading must not let the other in."""


@dataclass(frozen=True, slots=True)
class RoutedAction:
    """What a request asks for, in the words of policies."""

    action: str
    resource: str
    line: int


@dataclass(frozen=True, slots=True)
class Route:
    """One line. `segments` are literal texts, or names in braces; `rest` is the name of what follows them all."""

    line: int
    methods: frozenset[str]
    host: str
    path: str
    segments: tuple[str, ...]
    rest: str
    action: str
    resource: str

    @property
    def methods_in_words(self) -> str:
        return ", ".join(sorted(self.methods))

    def words(self, method: str, host: str, segments: tuple[str, ...]) -> dict[str, str] | None:
        """What the names in the path stand for; None when the request is not this route's."""
        if self.methods and method not in self.methods:
            return None
        if not _host_fits(self.host, host) or not self._length_fits(len(segments)):
            return None
        words = {}
        for wanted, found in zip(self.segments, segments, strict=False):
            if not wanted.startswith("{"):
                if wanted != found:
                    return None
            elif not found:
                return None
            else:
                words[wanted[1:-1]] = found
        if self.rest:
            words[self.rest] = "/".join(segments[len(self.segments) :])
        return words

    def _length_fits(self, length: int) -> bool:
        return length > len(self.segments) if self.rest else length == len(self.segments)


def _host_fits(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]) and host != pattern[2:])


def parse_routes(text: str) -> tuple[Route, ...]:
    """Raises RouteProblem, which names the line."""
    if len(text) > LONGEST_TABLE:
        raise RouteProblem(f"A route table has at most {LONGEST_TABLE} characters.")
    routes = tuple(_routes(text))
    if len(routes) > MOST_ROUTES:
        raise RouteProblem(f"A route table has at most {MOST_ROUTES} routes.")
    return routes


def _routes(text: str) -> Iterator[Route]:
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split("#", 1)[0].split()
        if not fields:
            continue
        if len(fields) != 5:
            raise RouteProblem(f"Line {number}: write methods, host, path, action and resource, with spaces between.")
        try:
            yield _route(number, *fields)
        except RouteProblem as problem:
            raise RouteProblem(f"Line {number}: {problem}") from None


def _route(line: int, methods: str, host: str, path: str, action: str, resource: str) -> Route:
    if not _METHODS.fullmatch(methods):
        raise RouteProblem(f"“{methods}” are no methods; write GET,HEAD or * for all.")
    if not _HOST.fullmatch(host.lower()):
        raise RouteProblem(
            f"“{host}” is no host name; write api.example.com, *.example.com or * for all, without a port."
        )
    if not _ACTION.fullmatch(action):
        raise RouteProblem(f"“{action}” is no action; write one such as orders:GetOrder, without wildcards.")
    segments, rest = _pattern(path)
    names = [segment[1:-1] for segment in segments if segment.startswith("{")] + ([rest] if rest else [])
    if len(set(names)) < len(names) or ACCOUNT in names:
        raise RouteProblem(f"The names in “{path}” must differ, and none may be {ACCOUNT}.")
    _check_template(resource, {*names, ACCOUNT})
    every = frozenset() if methods == "*" else frozenset(methods.split(","))
    return Route(line, every, host.lower(), path, segments, rest, action, resource)


def _pattern(path: str) -> tuple[tuple[str, ...], str]:
    if not path.startswith("/"):
        raise RouteProblem(f"The path “{path}” must begin with a slash.")
    segments, rest = path[1:].split("/"), ""
    if (last := _WORD.fullmatch(segments[-1])) and last[2]:
        rest = last[1]
        segments.pop()
    for segment in segments:
        if "{" in segment or "}" in segment:
            if not (word := _WORD.fullmatch(segment)) or word[2]:
                raise RouteProblem(f"In “{path}”, a name in braces is a whole part, and one with … is the last.")
        elif segment in (".", "..") or "*" in segment or _AMBIGUOUS.search(segment):
            raise RouteProblem(f"“{segment}” can't stand in a path; write it decoded, and {{name}} for what varies.")
    return tuple(segments), rest


def _check_template(resource: str, names: set[str]) -> None:
    if resource == "*":
        return
    if resource.count(":") < 5 or not resource.startswith("arn:"):
        raise RouteProblem(f"“{resource}” is no ARN; write arn:aws:orders::{{account}}:order/{{order}}, or *.")
    for name in _IN_TEMPLATE.findall(resource):
        if name not in names:
            raise RouteProblem(f"{{{name}}} in the resource is no name of the path.")
    if "*" in resource or "?" in resource:
        raise RouteProblem("The resource is one thing: it has no wildcards.")


def match(routes: tuple[Route, ...], *, method: str, host: str, path: str, account_id: str) -> RoutedAction | None:
    """What the first fitting route makes of a request. `path` is the raw one, without its query.

    Raises AmbiguousPath."""
    # A last dot is no part of a host's name: most servers serve the same with it.
    segments, name = path_segments(path), _PORT.sub("", host.lower()).removesuffix(".")
    for route in routes:
        words = route.words(method, name, segments)
        if words is not None:
            return RoutedAction(route.action, _filled(route.resource, {**words, ACCOUNT: account_id}), route.line)
    return None


def _filled(template: str, words: Mapping[str, str]) -> str:
    """In one pass, so that a value with braces is never taken for a name. Raises AmbiguousPath for a value that would
    shift the fields of the ARN."""
    for name in _IN_TEMPLATE.findall(":".join(template.split(":")[:5])):
        if ":" in words[name]:
            raise AmbiguousPath(f"“{words[name][:100]}” stands for a field of an ARN and can't hold a colon.")
    return _IN_TEMPLATE.sub(lambda found: words[found[1]], template)


def path_segments(path: str) -> tuple[str, ...]:
    """The decoded parts of a path. Raises AmbiguousPath for what servers are known to read in different ways."""
    if not path.startswith("/"):
        raise AmbiguousPath(f"The path “{path[:100]}” does not begin with a slash.")
    raw = path[1:].split("/")
    if "" in raw[:-1]:
        raise AmbiguousPath("The path has two slashes in a row.")
    return tuple(_segment(part) for part in raw)


def _segment(raw: str) -> str:
    if _ESCAPED.search(raw) or _RAW.search(raw):
        raise AmbiguousPath(f"“{raw[:100]}” is not percent-encoded.")
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise AmbiguousPath(f"“{raw[:100]}” is not UTF-8.") from None
    if text in (".", "..") or _AMBIGUOUS.search(text):
        raise AmbiguousPath(f"“{raw[:100]}” can be read in two ways.")
    return text
