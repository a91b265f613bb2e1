"""How fast programs are answered: the console beside moto_server in one run (`make bench`, or `python -m bench.api`).

The same client sends the same signed calls over four kept-alive connections to both. The console checks signatures,
enforces policies, writes its audit trail and commits to a PostgreSQL that waits for the disk, with two web workers;
moto does none of these. The servers take turns, so that both meet the same noise of the machine; of the rounds the
median counts. What the host gave to other machines meanwhile is told in per cent as "stolen": with more than a few,
measure again. MOTO_SERVER names another moto_server than that of `make bench`.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from statistics import median

from bench.rig.servers import MOTO_SERVER, Console, Running, console, moto, postgres
from bench.rig.stolen import Stolen
from bench.rig.wire_client import Connection, Measured, Server, measure

ROUNDS, GROWTH_ROUNDS = 5, 41
USERS, FEW, MANY = 1000, 100, 100_000
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

_number = count()


@dataclass(frozen=True)
class Case:
    """One kind of call: how it is written, how many times, and how many times moto's rate is to be reached.

    The slowest hundredth is told only by thousands of calls: of a few hundred it is one hiccup of the disk, which all
    connections share."""

    name: str
    write: Callable[[Server], bytes]
    calls: int
    moto_calls: int
    goal: float


def _create_user(server: Server) -> bytes:
    return server.request("iam", "CreateUser", UserName=f"made-{next(_number)}")


CASES = (
    Case("GetCallerIdentity", lambda server: server.request("sts", "GetCallerIdentity"), 2000, 300, 3),
    Case("GetUser", lambda server: server.request("iam", "GetUser", UserName="user-000050"), 2000, 300, 2),
    Case("CreateUser", _create_user, 2000, 200, 1.5),
    Case("ListUsers(100)", lambda server: server.request("iam", "ListUsers", MaxItems="100"), 1500, 40, 10),
)


def requests(case: Case, server: Server, calls: int) -> Iterator[bytes]:
    """Writes are different each time; a read is signed once, for signing is the client's work."""
    if case.name == "CreateUser":
        return (case.write(server) for _ in range(calls))
    return iter([case.write(server)] * calls)


def once(server: Server, service: str, action: str, **inputs: str) -> str:
    connection = Connection(server.port)
    try:
        return connection.ask(server.request(service, action, **inputs)).decode()
    finally:
        connection.close()


def administrator(root: Server) -> Server:
    """An IAM user with a key, whose permissions come from a policy and a group: root would not be asked for any."""
    once(root, "iam", "CreateUser", UserName="bench")
    once(root, "iam", "CreateGroup", GroupName="benchers")
    once(root, "iam", "AddUserToGroup", GroupName="benchers", UserName="bench")
    once(root, "iam", "AttachGroupPolicy", GroupName="benchers", PolicyArn=ADMINISTRATOR)
    answer = once(root, "iam", "CreateAccessKey", UserName="bench")
    key, secret = (re.search(f"<{tag}>([^<]+)</{tag}>", answer) for tag in ("AccessKeyId", "SecretAccessKey"))
    assert key and secret
    return Server(root.port, key[1], secret[1])


def fill(ours: Console, users: int) -> None:
    command = [sys.executable, "-m", "bench.rig.fill", str(users)]
    subprocess.run(command, env=ours.environ, check=True)


def fill_moto(theirs: Server, users: int) -> None:
    measure(theirs.port, [theirs.request("iam", "CreateUser", UserName=f"user-{n:06}") for n in range(users)])


def compare(ours: Server, theirs: Server | None) -> None:
    print(f"{'call':20} {'ours/s':>8} {'moto/s':>8} {'times':>6} {'goal':>5} {'p50 ms':>7} {'p99 ms':>7} {'stolen':>7}")
    for case in CASES:
        measure(ours.port, list(requests(case, ours, 40)))
        rates, moto_rates, taken, stolen = [], [], Measured(), Stolen()
        for _ in range(ROUNDS):
            round_ = measure(ours.port, list(requests(case, ours, case.calls // ROUNDS)))
            rates.append(round_.rate)
            taken.seconds += round_.seconds
            if theirs:
                moto_rates.append(measure(theirs.port, list(requests(case, theirs, case.moto_calls // ROUNDS))).rate)
        moto_rate = median(moto_rates) if moto_rates else float("nan")
        print(
            f"{case.name:20} {median(rates):8.0f} {moto_rate:8.0f} {median(rates) / moto_rate:6.1f} {case.goal:5.1f} "
            f"{taken.percentile(0.5):7.1f} {taken.percentile(0.99):7.1f} {stolen.percent:5.0f} %"
        )


def cpu(running: Running, server: Server, calls: int) -> float:
    """Milliseconds of a server's own processes for the call that services make most, once it has been asked for a
    while: the median of the rounds."""
    request = server.request("iam", "GetUser", UserName="user-000050")
    measure(server.port, [request] * calls)
    taken = []
    for _ in range(ROUNDS):
        before = running.cpu_seconds()
        measure(server.port, [request] * calls)
        taken.append((running.cpu_seconds() - before) / calls * 1000)
    return median(taken)


GROWTH: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("GetUser", "iam", "GetUser", {"UserName": "user-000050"}),
    ("ListUsers(100)", "iam", "ListUsers", {"MaxItems": "100"}),
    ("key lookup", "sts", "GetCallerIdentity", {}),
)


def growth(few: Server, many: Server) -> None:
    """Milliseconds of one call after another on one connection. Both sizes live at the same time and take turns, so
    that a slow moment of the machine is no growth."""
    print(f"{'milliseconds, one by one':26} {FEW:>10,} {MANY:>10,} {'growth':>7}  (goal 20 %)")
    for name, service, action, inputs in GROWTH:
        taken: dict[Server, list[float]] = {few: [], many: []}
        for server in (few, many) * GROWTH_ROUNDS:
            request = server.request(service, action, **inputs)
            taken[server].append(measure(server.port, [request] * 15, connections=1).percentile(0.5))
        small, large = (median(each[1:]) for each in taken.values())
        print(f"{name:26} {small:10.2f} {large:10.2f} {(large / small - 1) * 100:6.0f} %")


@contextmanager
def of_size(users: int) -> Iterator[tuple[Console, Server]]:
    """A console with a database of its own and so many users, and its administrator."""
    with postgres() as url, console(url) as running:
        ours = administrator(running.server)
        fill(running, users)
        yield running, ours


def main() -> None:
    with of_size(FEW) as (_, few), of_size(MANY) as (_, many):
        growth(few, many)
    with of_size(USERS) as (running, ours):
        stolen = Stolen()
        print(
            f"\nserver CPU per GetUser: {cpu(running, ours, 1000):.2f} ms (goal 1.2), stolen {stolen.percent:.0f} %\n"
        )
        if not MOTO_SERVER.exists():
            print(f"There is no {MOTO_SERVER} to compare with: run `make bench`, or name one in MOTO_SERVER.")
            return compare(ours, None)
        with moto() as theirs:
            fill_moto(theirs.server, USERS)
            print(f"moto's: {cpu(theirs, theirs.server, 200):.2f} ms\n")
            compare(ours, theirs.server)


if __name__ == "__main__":
    main()
