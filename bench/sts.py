"""How fast temporary credentials are made and used (`make bench`, or `python -m bench.sts`).

AssumeRole beside moto_server in one run, same client, four kept-alive connections: the console evaluates the role's
trust policy, seals a token and commits its audit event; moto makes something up. Then GetUser and GetCallerIdentity
with a temporary key beside the same calls with a long-term key, in turns, by what the console's processes work.
"""

import re
from statistics import median

from bench.api import ROUNDS, once
from bench.rig.servers import MOTO_SERVER, Console, console, moto, postgres
from bench.rig.wire_client import Server, measure

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
CALLS, MOTO_CALLS, USES = 300, 150, 2500
GOAL, DEARER = 2.0, 15
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},'
    '"Action":"sts:AssumeRole"}]}'
)
USED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GetCallerIdentity", "sts", {}),
    ("GetUser", "iam", {"UserName": "bench"}),
)
TAGS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


def user_and_role(root: Server) -> tuple[Server, str]:
    """A user with a key who may do everything, and a role that may too and trusts the account."""
    account = re.search("<Account>([^<]+)</Account>", once(root, "sts", "GetCallerIdentity"))
    assert account
    once(root, "iam", "CreateUser", UserName="bench")
    once(root, "iam", "AttachUserPolicy", UserName="bench", PolicyArn=ADMINISTRATOR)
    once(root, "iam", "CreateRole", RoleName="bench", AssumeRolePolicyDocument=TRUST.replace("%s", account[1]))
    once(root, "iam", "AttachRolePolicy", RoleName="bench", PolicyArn=ADMINISTRATOR)
    answer = once(root, "iam", "CreateAccessKey", UserName="bench")
    return Server(root.port, *_texts(answer, TAGS[:2])), f"arn:aws:iam::{account[1]}:role/bench"


def _texts(answer: str, tags: tuple[str, ...]) -> list[str]:
    found = [re.search(f"<{tag}>([^<]+)</{tag}>", answer) for tag in tags]
    return [match[1] for match in found if match]


def assume(server: Server, role_arn: str) -> bytes:
    return server.request("sts", "AssumeRole", RoleArn=role_arn, RoleSessionName="bench")


def rates(ours: Server, role_arn: str, theirs: Server | None) -> None:
    mine, others = [], []
    call = assume(ours, role_arn)
    measure(ours.port, [call] * 40)
    for _ in range(ROUNDS):
        mine.append(measure(ours.port, [call] * (CALLS // ROUNDS)).rate)
        if theirs:
            calls = [assume(theirs, "arn:aws:iam::123456789012:role/bench")] * (MOTO_CALLS // ROUNDS)
            others.append(measure(theirs.port, calls).rate)
    moto_rate = median(others) if others else float("nan")
    times = median(mine) / moto_rate
    print(f"AssumeRole: {median(mine):.0f}/s, moto {moto_rate:.0f}/s, {times:.1f} times (goal {GOAL})")


def dearer(running: Console, lasting: Server, temporary: Server) -> None:
    """Processor time of the console for one call, long-term and temporary key in turns."""
    for name, service, inputs in USED:
        costs: dict[str, list[float]] = {"long-term": [], "temporary": []}
        for _ in range(ROUNDS):
            for kind, server in (("long-term", lasting), ("temporary", temporary)):
                call = server.request(service, name, **inputs)
                measure(server.port, [call] * 40)
                before = running.cpu_seconds()
                measure(server.port, [call] * (USES // ROUNDS))
                costs[kind].append((running.cpu_seconds() - before) / (USES // ROUNDS) * 1000)
        first, second = (median(each) for each in costs.values())
        more = (second / first - 1) * 100
        print(f"{name}: {first:.2f} ms with a long-term key, {second:.2f} ms with a temporary one, ", end="")
        print(f"{more:+.0f} % (goal at most {DEARER})")


def main() -> None:
    with postgres() as url, console(url) as running:
        lasting, role_arn = user_and_role(running.server)
        made = once(lasting, "sts", "AssumeRole", RoleArn=role_arn, RoleSessionName="bench")
        dearer(running, lasting, Server(lasting.port, *_texts(made, TAGS)))
        if not MOTO_SERVER.exists():
            print(f"There is no {MOTO_SERVER} to compare with: run `make bench`, or name one in MOTO_SERVER.")
            rates(lasting, role_arn, None)
            return
        with moto() as theirs:
            rates(lasting, role_arn, theirs.server)


if __name__ == "__main__":
    main()
