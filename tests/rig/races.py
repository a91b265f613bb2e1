"""Real threads that start together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

THREADS = 20


def race(attempt: Callable[[int], object], refusal: type[Exception]) -> int:
    """Let all threads try at once; returns how many were refused with that error."""
    start = Barrier(THREADS)

    def run(number: int) -> bool:
        start.wait()
        try:
            attempt(number)
        except refusal:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS))).count(False)
