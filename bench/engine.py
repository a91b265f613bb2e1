"""How long one decision takes, in microseconds, beside other engines in the same run: `make bench`.

Every decision is timed alone on one core, warm: each request has been decided before. "fresh" decides requests that
were never seen, made within the time. The cost of reading the clock is measured and taken off. "agree" is the share of
answers that are ours; Cedar does not tell an explicit denial from an implicit one, so there only Allowed counts.
"""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

from bench.cases import ACCOUNT, SIZES, Case, make_case
from bench.peers.python_peers import PEERS
from policies.engine import Request, evaluate, parse
from policies.engine.index import CompiledStatement

SECONDS = 2.0
FOLDER = Path(__file__).resolve().parent.parent / ".bench"
SIMULATE = Path(__file__).resolve().parent / "peers/simulate.cjs"
Decide = Callable[[Request], object]


def microseconds(decide: Decide, requests: tuple[Request, ...]) -> list[float]:
    """The time of each decision, less the time of reading the clock twice: all requests at least once, then for as
    long as there is time."""
    clock = time.perf_counter_ns
    idle = median(_idle(clock) for _ in range(10_000))
    for request in requests:
        decide(request)
    times: list[float] = []
    end = time.monotonic() + SECONDS
    while not times or time.monotonic() < end:
        for request in requests:
            start = clock()
            decide(request)
            times.append(max(0, clock() - start - idle) / 1000)
    return times


def _idle(clock: Callable[[], int]) -> int:
    start = clock()
    return clock() - start


def first_decision(case: Case) -> float:
    """The median time of a decision about an action that was not asked for before, statements compiled."""
    times = []
    for request in case.requests:
        for attached in case.policies.identity:
            if attached.document.index is not None:
                attached.document.index.forget()
        policies = replace(case.policies)
        start = time.perf_counter_ns()
        evaluate(request, policies)
        times.append((time.perf_counter_ns() - start) / 1000)
    return median(times)


def each_statement(case: Case, do: Callable[[str], object]) -> float:
    """The median over the documents of the time on the processor that something takes, for each statement."""
    times = []
    for text in case.documents * 5:
        start = time.thread_time_ns()
        do(text)
        times.append((time.thread_time_ns() - start) / 1000)
    return median(times) * len(case.documents) / len(case.statements)


def read_time(case: Case) -> float:
    return each_statement(case, parse)


def compile_time(case: Case) -> float:
    documents = {text: parse(text) for text in case.documents}
    return each_statement(
        case, lambda text: [CompiledStatement(each, documents[text]) for each in documents[text].statements]
    )


def anew(request: Request) -> Request:
    return Request(request.action, request.resource, request.context, request.principal, request.resource_account)


def ours(case: Case) -> dict[str, list[float]]:
    policies = case.policies
    return {
        "ours": microseconds(lambda request: evaluate(request, policies), case.requests),
        "ours, fresh": microseconds(lambda request: evaluate(anew(request), policies), case.requests),
        "ours, explained": microseconds(lambda request: evaluate(request, policies, explain=True), case.requests),
    }


def iam_simulate(case: Case) -> tuple[list[float], list[str]] | None:
    """The times and answers of the peer that runs in Node; None when it is not installed."""
    if not (FOLDER / "node_modules").is_dir():
        return None
    asked = {
        "documents": [json.loads(text) for text in case.documents],
        "requests": [
            {
                "action": request.action,
                "principal": f"arn:aws:iam::{ACCOUNT}:user/alice",
                "resource": {"resource": request.resource, "accountId": ACCOUNT},
                "contextVariables": {key: _single(values) for key, values in request.context.items()},
            }
            for request in case.requests
        ],
        "seconds": SECONDS,
    }
    run = subprocess.run(["node", SIMULATE, FOLDER], input=json.dumps(asked), capture_output=True, text=True)  # noqa: S607 # whichever node there is
    if run.returncode:
        print(run.stderr)
        return None
    found = json.loads(run.stdout)
    return found["times"], found["outcomes"]


def _single(values: tuple[str, ...] | str) -> object:
    return values if isinstance(values, str) else values[0] if len(values) == 1 else list(values)


def agreement(case: Case, answers: list[str], *, allowed_only: bool) -> str:
    expected = [str(evaluate(request, case.policies).outcome) for request in case.requests]
    same = sum(
        (answer == "Allowed") == (wanted == "Allowed") if allowed_only else answer == wanted
        for answer, wanted in zip(answers, expected, strict=True)
    )
    return f"{100 * same / len(expected):.1f} %"


def line(name: str, times: list[float], base: float, agree: str = "") -> None:
    p50, p99 = median(times), quantiles(times, n=100)[98]
    print(f"| {name} | {p50:.2f} | {p99:.2f} | {p50 / base:.1f} | {agree} |")


def measure(policies: int, statements: int) -> None:
    case = make_case(policies, statements)
    print(f"\n{policies} × {statements} statements; a new action {first_decision(case):.0f} µs,")
    print(f"reading a statement {read_time(case):.0f} µs, compiling it {compile_time(case):.0f} µs\n")
    print("| engine | p50 µs | p99 µs | × ours | agree |\n|---|---:|---:|---:|---:|")
    times = ours(case)
    base = median(times["ours"])
    for name, found in times.items():
        line(name, found, base)
    if (simulated := iam_simulate(case)) is not None:
        line("iam-simulate", simulated[0], base, agreement(case, simulated[1], allowed_only=False))
    for name, make in PEERS.items():
        decide = make(case)
        if decide is None:
            print(f"| {name} | not installed | | | |")
            continue
        answers = [decide(request) for request in case.requests]
        agree = agreement(case, answers, allowed_only=name == "cedarpy")
        line(name, microseconds(decide, case.requests), base, agree)


def main() -> None:
    for policies, statements in SIZES:
        measure(policies, statements)


if __name__ == "__main__":
    main()
