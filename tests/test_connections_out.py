"""Nothing but the fetcher, and what has one fixed place to talk to, opens a connection to outside."""

import re
from pathlib import Path

import pytest

from tests.rig.sources import imports, name_of, sources

# What can open a connection, or brings a client that does.
WAYS_OUT = {
    "aiohttp", "asyncio", "boto3", "botocore.httpsession", "botocore.session", "django.core.mail", "ftplib", "grpc",
    "http.client", "httpx", "imaplib", "ldap", "ldap3", "logging.handlers", "multiprocessing.connection", "paramiko",
    "poplib", "psycopg", "redis", "requests", "smtplib", "socket", "socketserver", "subprocess", "telnetlib",
    "urllib.request", "urllib3", "websockets", "xmlrpc.client",
}  # fmt: skip

# Who imports which of them, and why no stranger says where it leads to.
ALLOWED = {
    "accounts/mails.py": {"django.core.mail", "smtplib"},  # to EMAIL_HOST; of smtplib only its error
    "federation/fetch.py": {"http.client", "socket"},  # the one fetcher
    "iamconsole/agent/console.py": {"http.client"},  # a program on a machine, to the console it was started for
    "iamconsole/agent/server.py": {"socket", "socketserver"},  # it listens on that machine
    "iamconsole/postgres/base.py": {"psycopg"},  # to DATABASE_URL
    "iamconsole/postgres/pipeline.py": {"psycopg"},
    "iamconsole/postgres/prepared.py": {"psycopg"},
    "iamconsole/worker.py": {"socket"},  # the connections of those who come in
}


# Few files have such a line; only those are parsed.
HINT = re.compile(
    rf"^\s*(from|import)\b.*\b({'|'.join(way.rpartition('.')[0] or way for way in WAYS_OUT)})\b", re.MULTILINE
)


def ways_out(path: Path) -> set[str]:
    if not HINT.search(path.read_text()):
        return set()
    return {way for name in imports(path) for way in WAYS_OUT if f"{name}.".startswith(f"{way}.")}


@pytest.mark.bar(120)
def test_only_these_modules_can_talk_to_outside() -> None:
    found = {name_of(path): ways for path in sources() if (ways := ways_out(path))}
    assert found == ALLOWED, "Ask by federation.fetch, or say here why no stranger says where that leads to."


@pytest.mark.bar(120)
@pytest.mark.parametrize(
    "line",
    [
        "import urllib.request",
        "from urllib import request",
        "from urllib.request import urlopen",
        "from http import client",
        "import requests",
        "from socket import create_connection",
        "def late():\n    import urllib3",
    ],
)
def test_another_way_out_would_be_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "careless.py").write_text(line)
    assert ways_out(tmp_path / "careless.py")
