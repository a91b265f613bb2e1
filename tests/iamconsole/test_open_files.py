"""The server leaves room for what else it opens, and asks the system for more where that is little."""

import resource

import pytest

from iamconsole.open_files import ALWAYS, room_for

NO_LIMIT = resource.RLIM_INFINITY


@pytest.mark.bar(129)
@pytest.mark.parametrize(
    ("given", "room", "then"),
    [
        ((1024, 4096), 1000, 1000 + 200 + ALWAYS),
        ((1024, NO_LIMIT), 1000, 1000 + 200 + ALWAYS),
        ((1024, 1024), 1024 - 200 - ALWAYS, 1024),
        ((4096, 4096), 1000, 4096),
        ((NO_LIMIT, NO_LIMIT), 1000, NO_LIMIT),
        ((100, 100), 1, 100),
    ],
    ids=["little", "little, but as much as is asked for", "little and no more", "plenty", "no limit", "hopeless"],
)
def test_there_are_as_many_connections_as_files_can_be_opened_for(
    given: tuple[int, int], room: int, then: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [given]
    monkeypatch.setattr(resource, "getrlimit", lambda what: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda what, asked: limits.append(asked))
    assert room_for(1000, 200) == room
    assert limits[-1] == (then, given[1])
