"""Server time of the list pages with 10,000 users and 300 groups: `make bench`, or `python -m bench.pages`.

Each page is asked 30 times after 3 for warming up, by Django's own client in this process: routing, guard, gate,
queries and template, without the network. To reach: a median under 150 ms. Prints milliseconds, how many of them the
processor worked (the same on a busy machine), and how many queries.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import Account

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 30
EVENTS = 100_000
# Every page that lists what there may be many of; everybody is in the group "everybody", and has its policy.
PAGES = (
    "/identities/users/",
    "/identities/users/?q=sil",
    "/identities/users/?sort=-created_at",
    "/identities/users/?page=150",
    "/identities/users/create/permissions/?name=new&way=groups",
    "/identities/users/create/permissions/?name=new&way=clone",
    "/identities/users/create/permissions/?name=new&way=policies",
    "/identities/user/{user}/groups/",
    "/identities/user/{user}/groups/move/",
    "/identities/user/{user}/permissions/",
    "/identities/user/{user}/permissions/attach/",
    "/identities/user/{user}/permissions/boundary/",
    "/identities/user/{user}/copy-permissions/",
    "/identities/groups/",
    "/identities/groups/?q=dev",
    "/identities/groups/create/policies/?name=new",
    "/identities/groups/create/users/?name=new",
    "/identities/group/everybody/",
    "/identities/group/everybody/?page=150",
    "/identities/group/everybody/permissions/",
    "/identities/group/everybody/users/add/",
    "/identities/group/everybody/delete/",
    "/identities/roles/",
    "/identities/roles/?sort=-used",
    "/identities/role/worker/permissions/",
    "/identities/role/worker/permissions/attach/",
    "/identities/server-certificates/",
    "/policies/",
    "/policies/policy/aws/ReadOnlyAccess/",
    "/identities/policy/aws/IAMUserChangePassword/entities/",
    "/audit/",
    "/audit/?before=00000000-0000-0000-0000-00000000ea60",
    "/audit/?action=iam%3ADeleteUser",
    "/audit/?action=iam%3ANoSuchAction",
    "/audit/?person=nobody",
    "/audit/?since=2020-01-01&until=2020-02-01",
    "/sessions/",
    "/dashboard/",
)


def prepare(folder: str, users: int) -> None:
    os.environ["DATA_DIR"] = folder
    manage("preparedata")
    words = ("createaccount", "--name", "Bench", "--email", "root@bench.example", "--password-stdin", "--json")
    manage(*words, stdin="harbour lantern quilt 7731\n")
    manage("loaddemo", "--users", str(users))


def manage(*words: str, stdin: str = "") -> None:
    subprocess.run([sys.executable, str(ROOT / "manage.py"), *words], input=stdin, text=True, check=True, cwd=ROOT)


def fill(account: "Account") -> None:
    """What `loaddemo` does not make: a group of everybody, a policy of theirs, and a year of events."""
    from audit.models import Event  # noqa: PLC0415 # see `measure`
    from identities.models import Group, GroupAttachment, Membership, User  # noqa: PLC0415 # see `measure`
    from policies.models import ManagedPolicy  # noqa: PLC0415 # see `measure`

    users = list(User.objects.filter(account=account))
    fill_roles(account)
    everybody = Group.objects.create(account=account, name="everybody", unique_id="AGPAEVERYBODY")
    Membership.objects.bulk_create([Membership(user=user, group=everybody, slot=10) for user in users], 1000)
    policy = ManagedPolicy.objects.get(account=None, name="IAMUserChangePassword")
    GroupAttachment.objects.create(group=everybody, policy=policy, slot=1)
    names = [user.name for user in users]
    events = (
        Event(
            event_id=uuid.UUID(int=number),
            account_id=account.id,
            action="iam:UpdateUser",
            resource="*",
            principal_type="user",
            principal_name=names[number % len(names)],
            door="api",
        )
        for number in range(EVENTS)
    )
    Event.objects.bulk_create(events, 2000)


def fill_roles(account: "Account") -> None:
    """A thousand roles that the account trusts."""
    from identities.models import Role  # noqa: PLC0415 # see `measure`

    trust = (
        f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account.id}:root"}},'
        '"Action":"sts:AssumeRole"}]}'
    )
    for number in range(1000):
        name = f"role-{number}" if number else "worker"
        Role.objects.create(account=account, name=name, unique_id=f"AROABENCH{number:04}", document=trust)


def measure() -> None:
    """Imports are here because Django reads DATA_DIR when it is set up."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iamconsole.settings")
    import django  # noqa: PLC0415 # see above

    django.setup()
    from django.db import connection  # noqa: PLC0415 # see above
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 # see above

    from accounts.models import Account  # noqa: PLC0415 # see above
    from identities.models import User  # noqa: PLC0415 # see above
    from tests.cast import browser_of  # noqa: PLC0415 # see above

    account = Account.objects.get()
    fill(account)
    user = User.objects.filter(account=account).order_by("pk")[5000]
    browser = browser_of(account)
    browser.defaults["HTTP_HOST"] = "localhost"
    print(f"{'page':66} {'median ms':>10} {'of CPU':>8} {'max ms':>8} {'queries':>8}")
    for pattern in PAGES:
        page = pattern.format(user=user.name)
        for _ in range(3):
            assert browser.get(page).status_code == 200, page
        times, work = [], []
        for _ in range(ROUNDS):
            began, busy = time.perf_counter(), time.process_time()
            browser.get(page)
            times.append((time.perf_counter() - began) * 1000)
            work.append((time.process_time() - busy) * 1000)
        with CaptureQueriesContext(connection) as queries:
            browser.get(page)
        median, of_cpu = statistics.median(times), statistics.median(work)
        print(f"{pattern:66} {median:10.1f} {of_cpu:8.1f} {max(times):8.1f} {len(queries):8}")


if __name__ == "__main__":
    folder = tempfile.mkdtemp(prefix="iamconsole-bench-")
    try:
        prepare(folder, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
        measure()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
