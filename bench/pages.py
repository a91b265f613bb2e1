"""Server time of the list pages with 10,000 users and 300 groups: `make bench`, or `python -m bench.pages`.

Each page is asked 30 times after 3 for warming up, by Django's own client in this process: routing, guard, gate,
queries and template, without the network. To reach: a median under 150 ms. Prints milliseconds and how many queries.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 30
PAGES = (
    "/identities/users/",
    "/identities/users/?q=sil",
    "/identities/users/?sort=-created_at",
    "/identities/users/?page=150",
    "/identities/groups/",
    "/identities/groups/?q=dev",
    "/policies/",
    "/audit/",
    "/dashboard/",
)


def prepare(folder: str, users: int) -> None:
    os.environ["DATA_DIR"] = folder
    manage("preparedata")
    words = ("createaccount", "--name", "Bench", "--email", "root@bench.example", "--password-stdin", "--json")
    manage(*words, stdin="harbour lantern quilt 7731\n")
    manage("loaddemo", "--users", str(users))


def manage(*words: str, stdin: str = "") -> None:
    subprocess.run([sys.executable, str(ROOT / "manage.py"), *words], input=stdin, text=True, check=True, cwd=ROOT)  # noqa: S603 # our own command line


def measure() -> None:
    """Imports are here because Django reads DATA_DIR when it is set up."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iamconsole.settings")
    import django  # noqa: PLC0415 # see above

    django.setup()
    from django.db import connection  # noqa: PLC0415 # see above
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 # see above

    from accounts.models import Account  # noqa: PLC0415 # see above
    from tests.cast import browser_of  # noqa: PLC0415 # see above

    browser = browser_of(Account.objects.get())
    browser.defaults["HTTP_HOST"] = "localhost"
    print(f"{'page':40} {'median ms':>10} {'max ms':>8} {'queries':>8}")
    for page in PAGES:
        for _ in range(3):
            assert browser.get(page).status_code == 200, page
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            browser.get(page)
            times.append((time.perf_counter() - began) * 1000)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get(page)
        print(f"{page:40} {statistics.median(times):10.1f} {max(times):8.1f} {len(queries):8}")


if __name__ == "__main__":
    folder = tempfile.mkdtemp(prefix="iamconsole-bench-")
    try:
        prepare(folder, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
        measure()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
