"""Change the engine in thousands of small ways and see that a test notices each: `make mutate`.

mutmut makes the changes. Each is tried in a process of its own: first on the cases (`tests/policies/mutation.py`),
which mostly notice within a few milliseconds, then on all of `TESTS`. What no test notices is shown as a difference;
what of it changes no decision is explained in `tests/policies/mutation_survivors.md`. `ARGS` names modules, as
`make mutate ARGS="principals plan"`; without it, all that have a say in a decision.
"""

import difflib
import importlib
import importlib.abc
import importlib.util
import itertools
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mutmut.mutation.file_mutation import create_mutations

HOME = Path(__file__).resolve().parent.parent
ENGINE = HOME / "policies/engine"
EXPLAINED = HOME / "tests/policies/mutation_survivors.md"
DECIDING = (
    "arn",
    "evaluate",
    "finder",
    "index",
    "literals",
    "open_patterns",
    "patterns",
    "plan",
    "principals",
    "request",
    "resources",
    "variables",
    "conditions",
)
# Here functions make others when the module is imported.
IMPORTED_ANEW = ("conditions",)
CASES = "tests.policies.mutation"
TESTS = (
    "tests.policies.test_engine_literals",
    "tests.policies.test_engine_finding",
    "tests.policies.test_engine_evaluate",
    "tests.policies.test_engine_patterns",
    "tests.policies.test_engine_variables",
    "tests.policies.test_engine_reference",
)
# How heavy something is, for the caches.
NOT_DECIDING = ("weight_of", "_weight_of", "ResourceMatcher.entries", "ActionIndex.found", "ActionIndex.forget")
# A change may make an endless loop; this many seconds of the processor are a lot for the tests.
LONGEST = 6
_DECORATOR = re.compile(r"^( *)@", re.MULTILINE)
_SET_ASIDE = re.compile(r"^( *)# @", re.MULTILINE)


class Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a text instead of its file."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def get_source(self, name: str) -> str:
        return self.text


def changes(text: str) -> Iterator[str]:
    """The text with each change in a function. Decorators are set aside, for mutmut leaves alone what has one."""
    tree, mutations, *_ = create_mutations("", _DECORATOR.sub(r"\1# @", text))
    for mutation in mutations:
        if mutation.contained_by_top_level_function is None:
            continue
        changed: Any = tree.deep_replace(mutation.original_node, mutation.mutated_node)
        after = _SET_ASIDE.sub(r"\1@", changed.code)
        if changed_bodies(text, after):
            yield after


def bodies(code: CodeType, outer: str = "") -> Iterator[tuple[str, CodeType]]:
    """The functions and methods of a module, or of a class in it, by name."""
    for each in code.co_consts:
        if isinstance(each, CodeType) and each.co_flags & CO_OPTIMIZED:
            yield f"{outer}{each.co_name}", each
        elif isinstance(each, CodeType):
            yield from bodies(each, f"{outer}{each.co_name}.")


def changed_bodies(before: str, after: str) -> dict[str, CodeType]:
    old, new = (dict(bodies(compile(text, "", "exec"))) for text in (before, after))
    return {
        path: code
        for path, code in new.items()
        if path not in NOT_DECIDING and content_of(code) != content_of(old[path])
    }


def content_of(code: CodeType) -> tuple[object, ...]:
    """What a function does, wherever it stands."""
    inner = tuple(content_of(each) if isinstance(each, CodeType) else (type(each), each) for each in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, inner


def put_in(module: ModuleType, changed: dict[str, CodeType]) -> None:
    """Give functions of a module their changed bodies. Whoever has imported one has the same function."""
    for path, code in changed.items():
        function_at(module, path).__code__ = code


def function_at(module: ModuleType, path: str) -> FunctionType:
    found: Any = module
    for name in path.split("."):
        found = vars(found)[name]
    found = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
    function: FunctionType = getattr(found, "__wrapped__", found)
    return function


def import_anew(name: str, text: str) -> None:
    for each in [each for each in sys.modules if each.startswith(("policies.engine", "tests.policies"))]:
        del sys.modules[each]
    sys.meta_path.insert(0, Changed(name, text))


def is_noticed(name: str, before: str, after: str) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(_try(name, before, after))
    _, status = os.waitpid(child, 0)
    return status != 0


def _try(name: str, before: str, after: str) -> int:
    """0 when all tests pass."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    full_name = f"policies.engine.{name}"
    try:
        if name in IMPORTED_ANEW:
            import_anew(full_name, after)
        else:
            put_in(sys.modules[full_name], changed_bodies(before, after))
        importlib.import_module(CASES).every_case()
        for module in TESTS:
            run_tests(importlib.import_module(module))
    except BaseException:  # however it fails, it has noticed
        return 1
    return 0


def run_tests(module: ModuleType) -> None:
    """All tests of a module that need no fixtures, without pytest, which would take longer than they do."""
    for name, test in vars(module).items():
        if not name.startswith("test_"):
            continue
        marks = [mark.args for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
        for values in itertools.product(*(values for _, values, *_ in marks)):
            arguments: dict[str, object] = {}
            for (names, *_), value in zip(marks, values, strict=True):
                several = not isinstance(names, str) or "," in names
                split = [each.strip() for each in names.split(",")] if isinstance(names, str) else names
                arguments.update(zip(split, value if several else [value], strict=True))
            test(**arguments)


def difference(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


def survivors(name: str) -> Iterator[str]:
    text = (ENGINE / f"{name}.py").read_text()
    if is_noticed(name, text, text):
        raise AssertionError(f"The tests fail although {name} is not changed.")
    tried = 0
    for changed in changes(text):
        tried += 1
        if not is_noticed(name, text, changed):
            yield difference(text, changed)
    print(f"{name}: {tried} changes", flush=True)


def main() -> int:
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"
    os.chdir(HOME)
    for module in (CASES, *TESTS):
        importlib.import_module(module)
    explained = EXPLAINED.read_text()
    unexplained = 0
    for name in sys.argv[1:] or DECIDING:
        for shown in survivors(name):
            if shown not in explained:
                unexplained += 1
                print(f"--- {name}\n{shown}", flush=True)
    print(f"{unexplained} changes that no test notices and nobody has explained.")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
