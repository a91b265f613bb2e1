"""How much of its time the machine lost to others while something was measured.

On a shared host another machine may have the processors, or the other half of a core: then everything takes longer, in
processor time too, and what was measured says little.
"""

from pathlib import Path

_STAT = Path("/proc/stat")
_STEAL = 7


class Stolen:
    """From now on, until it is asked."""

    def __init__(self) -> None:
        self._began = _ticks()

    @property
    def percent(self) -> float:
        """What the host gave to others, of all processors' time; nan where the system does not tell."""
        ticks = [now - then for then, now in zip(self._began, _ticks(), strict=True)]
        return 100 * ticks[_STEAL] / sum(ticks) if sum(ticks) else float("nan")


def _ticks() -> list[int]:
    """Of all processors together: user, nice, system, idle, iowait, irq, softirq, steal (proc(5))."""
    return [int(each) for each in _STAT.read_text().split("\n", 1)[0].split()[1:9]] if _STAT.exists() else []
