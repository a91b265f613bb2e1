"""What the server makes of a request before the console sees it."""

import sys

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from iamconsole.management.commands.serve import Server, server_arguments

CLAIMS = (
    b"GET /signin/ HTTP/1.1\r\nHost: console.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\n"
    b"X-Forwarded-Protocol: ssl\r\nSCRIPT_NAME: /signin\r\nPATH_INFO: /\r\n\r\n"
)


def configured() -> Config:
    config = Config()
    for name, value in vars(config.parser().parse_args(server_arguments())).items():
        if value is not None and name != "args":
            config.set(name, value)
    return config


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.0.2.7"])
def test_nobody_is_believed_about_scheme_and_path(address: str) -> None:
    request = next(RequestParser(configured(), iter([CLAIMS]), (address, 50000)))
    assert request.scheme == "http"
    assert not {"SCRIPT_NAME", "PATH_INFO"} & {name for name, _ in request.headers}


def test_the_address_is_told_when_the_server_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(sys, "argv", ["gunicorn", *server_arguments()])
    server = Server(lambda: told.append("listens"))
    assert not told
    server.cfg.when_ready(None)
    assert told == ["listens"]
