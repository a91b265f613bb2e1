"""Change the engine in thousands of small ways and see that a test notices each: `make mutate`.

Runs mutmut in a folder of its own (`.mutation/`) that holds the engine and its pure tests only: no Django, no database.
`ARGS` names modules, as `make mutate ARGS="principals plan"`; without it, all that have a say in a decision.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
FOLDER = HOME / ".mutation"
DECIDING = (
    "arn",
    "conditions",
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
)
TESTS = (
    "mutation",
    "test_engine_literals",
    "test_engine_evaluate",
    "test_engine_patterns",
    "test_engine_variables",
    "test_engine_reference",
)
CONFIGURATION = """\
[tool.mutmut]
source_paths = ["policies"]
only_mutate = [{modules}]
pytest_add_cli_args = ["-p", "no:django", "-p", "no:cacheprovider", "-p", "no:playwright", "--import-mode=importlib"]
pytest_add_cli_args_test_selection = [{tests}]
track_dependencies = false

[tool.pytest.ini_options]
pythonpath = ["."]
markers = ["bar(*numbers): the test holds these requirements of the security bar"]
"""


def prepare(modules: list[str]) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    copied = ("policies/__init__.py", "policies/engine", "tests/__init__.py", "tests/policies")
    for name in copied:
        source, target = HOME / name, FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    names = ", ".join(f'"policies/engine/{module}.py"' for module in modules)
    tests = ", ".join(f'"tests/policies/{test}.py"' for test in TESTS)
    (FOLDER / "pyproject.toml").write_text(CONFIGURATION.format(modules=names, tests=tests))


def main() -> int:
    modules = sys.argv[1:] or list(DECIDING)
    prepare(modules)
    mutmut = Path(sys.executable).parent / "mutmut"
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "mutation"}
    found = subprocess.run([mutmut, "run", "--max-children", "2"], cwd=FOLDER, env=environment, check=False)
    subprocess.run([mutmut, "results"], cwd=FOLDER, check=False)
    return found.returncode


if __name__ == "__main__":
    sys.exit(main())
