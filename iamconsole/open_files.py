"""How many files a process may have open: a connection counts as one, and one too many would end the server."""

import resource

# Python's own, gunicorn's, and the log.
ALWAYS = 64


def room_for(connections: int, beside: int) -> int:
    """How many connections fit beside so many other files. The system is asked for as many as are needed: most give
    1024 at first, for the sake of programs that use `select`."""
    beside += ALWAYS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + beside
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections
    soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(soft - beside, 1)
