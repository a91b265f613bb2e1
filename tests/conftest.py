"""Fixtures for all tests. The people in them are in `cast.py`, what they stand on is in `rig/`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import BrowserContext
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from access import policy_rows
from database.row_cache import RowCache
from tests.addresses import furnished, words  # noqa: F401 # fixtures for every test
from tests.cast import acme, alice, bob, globex, mallory  # noqa: F401 # fixtures for every test
from tests.federation.issuers import issuer  # noqa: F401 # a fixture for every test
from tests.rig import browser as browser_rig
from tests.rig.programs import Programs
from tests.rig.served import Served, collect_static, serve

# How long an example takes, or making it, says nothing here: two workers share the machine.
hypothesis_settings.register_profile(
    "console", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("console")

VENDORS = {"sqlite": "sqlite", "postgres": "postgresql"}
DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
# What everything of Playwright's depends on; "browser" and "page" are names of other things, too.
BROWSER_FIXTURES = {"playwright"}
END_OTHER_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def depends_on_the_database(item: pytest.Item) -> bool:
    """Whether pytest-django would let it ask one: everybody else is refused, and can't tell which one is there. Neither
    can a browser: what its pages ask the database is asked by the tests of the views, too."""
    fixtures = set(getattr(item, "fixturenames", ()))
    marked = any(item.iter_markers("django_db")) or any(item.iter_markers("postgres"))
    return (marked or bool(DATABASE_FIXTURES & fixtures)) and not BROWSER_FIXTURES & fixtures


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if connection.vendor == "postgresql" and (depending := [item for item in items if depends_on_the_database(item)]):
        config.hook.pytest_deselected(items=[item for item in items if not depends_on_the_database(item)])
        items[:] = depending
    for item in items:
        for database in {"sqlite", "postgres"} & {marker.name for marker in item.iter_markers()}:
            if connection.vendor != VENDORS[database]:
                item.add_marker(pytest.mark.skip(reason=f"Only makes sense on {database}."))
        if BROWSER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """At the end PostgreSQL drops only a database that nobody uses: a program of a test that kept its connection to the
    console open also keeps the console's own one, in a thread that ends whenever that program does."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(END_OTHER_SESSIONS)


@pytest.fixture(autouse=True)
def callers_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls share what was made of a caller's rows. Whoever changed it, or looked something up from it that then stays
    with it, would answer later calls by what was true before."""
    kinds: tuple[RowCache[Any], ...] = (policy_rows._KEYS, policy_rows._ROLES)
    shared = [RowCache(each._build) for each in kinds]
    for name, each in zip(("_KEYS", "_ROLES"), shared, strict=True):
        monkeypatch.setattr(policy_rows, name, each)
    yield
    for each in shared:
        for fetched, caller in each._kept.values():
            assert _columns(caller.row) == _columns(each._build(fetched).row)


def _columns(row: Model) -> dict[str, Any]:
    """A row's own values, and those of the rows that were read with it."""
    beside = {name: each and _columns(each) for name, each in row._state.fields_cache.items()}
    own = {name: value for name, value in row.__dict__.items() if name not in ("_state", "_prefetched")}
    return {
        **own,
        "beside": beside,
        "tags": [(tag.key, tag.value) for tag in row.__dict__.get("_prefetched", {}).get("tags", ())],
    }


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if not browser_rig.CHROMIUM.exists():
        pytest.skip(f"There is no {browser_rig.CHROMIUM}: install Debian's package chromium, or set CHROMIUM.")
    return browser_type_launch_args | {
        "executable_path": str(browser_rig.CHROMIUM),
        "args": browser_rig.LAUNCH_ARGS,
    }


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """Pages are opened by path: `page.goto("/signin/")`."""
    return live_server.url


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return browser_context_args | {
        "locale": "en-GB",
        "reduced_motion": "reduce",
        "viewport": {"width": 1280, "height": 900},
    }


@pytest.fixture
def new_context(new_context: Callable[..., BrowserContext], base_url: str) -> Iterator[Callable[..., BrowserContext]]:
    """Every browser of a test, the first and any further one, is watched: one complaint fails the test."""
    complaints: list[list[str]] = []

    def open_watched(**options: Any) -> BrowserContext:
        context = new_context(**options)
        complaints.append(browser_rig.watch(context, base_url))
        return context

    yield open_watched
    everything = [line for of_one_browser in complaints for line in of_one_browser]
    assert not everything, "A page misbehaved:\n" + "\n".join(everything)


@pytest.fixture
def axe_check() -> browser_rig.AxeCheck:
    return browser_rig.axe_check


@pytest.fixture
def programs(live_server: LiveServer) -> Programs:
    """boto3 clients and the AWS command line, all speaking to the running console."""
    return Programs(live_server.url)


@pytest.fixture(scope="session")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The front-end files, collected as `make setup` does."""
    folder = tmp_path_factory.mktemp("static")
    collect_static(folder)
    return folder


@pytest.fixture
def served(tmp_path: Path, static_root: Path) -> Iterator[Served]:
    """A second console beside the one under test: started by `manage.py serve`, without an account, on fresh data."""
    with serve(tmp_path, static_root) as running:
        yield running
