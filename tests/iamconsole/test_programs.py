"""Programs' calls take a way past Django: the same answers come of it, and whatever is unusual does not go there."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory, override_settings

from iamconsole.programs import Application, Environ, ProgramsFirst
from identities.models import User
from tests.api.conftest import SECRET, key_of
from tests.api.program import Program
from tests.cast import acme, alice

__all__ = ["acme", "alice"]

CALLS = {
    "allowed": "Action=GetCallerIdentity&Version=2011-06-15",
    "denied": "Action=DeleteUser&UserName=nobody&Version=2010-05-08",
    "unknown": "Action=MakeCoffee&Version=2010-05-08",
    "not written as a form": "%%%",
}
UNUSUAL: dict[str, dict[str, Any]] = {
    "a query": {"QUERY_STRING": "Action=GetCallerIdentity"},
    "another path": {"PATH_INFO": "/elsewhere"},
    "below another path": {"SCRIPT_NAME": "/iam"},
    "no signature": {"HTTP_AUTHORIZATION": None},
    "another method": {"REQUEST_METHOD": "PUT"},
    "a foreign host": {"HTTP_HOST": "evil.example"},
    "a host that is none": {"HTTP_HOST": "a b"},
    "more than is read": {"CONTENT_LENGTH": str(1024 * 1024 + 1)},
    "a length that is none": {"CONTENT_LENGTH": "-1"},
    "a digit of another script": {"CONTENT_LENGTH": "\u00b2"},
    "no length": {"CONTENT_LENGTH": None},
    "a body in chunks": {"HTTP_TRANSFER_ENCODING": "chunked"},
    "too many headers": {f"HTTP_X_{number}": "x" for number in range(101)},
}
# What is of each answer alone.
OF_EACH = ("x-amzn-RequestId", "x-amzn-encoded-authorization-message")
OWN = re.compile(rb"[0-9a-f-]{36}")


@pytest.fixture
def program(alice: User) -> Program:
    return Program(key_of(alice).access_key_id, SECRET)


def environ_of(program: Program, body: str, **changes: Any) -> Environ:
    headers = program.signed("iam" if "2010" in body else "sts", body)
    content_type = headers.pop("Content-Type")
    request = RequestFactory().post("/", body.encode(), content_type=content_type, headers=headers)
    environ = {**request.environ, **changes}
    return {name: value for name, value in environ.items() if value is not None}


def answer(application: Application, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
    told: list[Any] = []
    body = b"".join(application(environ, lambda status, headers: told.extend((status, headers))))
    status, headers = told
    return status, sorted((name.lower(), "" if name in OF_EACH else value) for name, value in headers), body


def no_pages(environ: Environ, start_response: Any) -> Iterable[bytes]:
    raise AssertionError("this went through Django")


def through_django(environ: Environ, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"through Django"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("https", [False, True])
def test_the_short_way_and_the_long_one_answer_alike(program: Program, https: bool) -> None:
    scheme = {"wsgi.url_scheme": "https" if https else "http"}
    for named, body in CALLS.items():
        with override_settings(SECURE_HSTS_SECONDS=3600):
            short = answer(ProgramsFirst(no_pages), environ_of(program, body, **scheme))
            long = answer(get_wsgi_application(), environ_of(program, body, **scheme))
        assert short[:2] == long[:2], named
        assert OWN.sub(b"", short[2]) == OWN.sub(b"", long[2]), named
        assert ("strict-transport-security" in dict(short[1])) is https


@pytest.mark.bar(129)
@pytest.mark.parametrize("changes", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_what_is_unusual_goes_through_django(program: Program, changes: dict[str, Any]) -> None:
    environ = environ_of(program, CALLS["allowed"], **changes)
    assert answer(ProgramsFirst(through_django), environ)[2] == b"through Django"


@pytest.mark.bar(131)
def test_a_proxy_that_names_no_client_is_refused_by_django(program: Program) -> None:
    environ = environ_of(program, CALLS["allowed"])
    with override_settings(TRUSTED_PROXY_COUNT=1):
        assert answer(ProgramsFirst(through_django), environ)[2] == b"through Django"


@pytest.mark.django_db(transaction=True)
def test_where_https_is_asked_for_a_call_without_it_is_sent_there_by_django(program: Program) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        for scheme, way in (("http", b"through Django"), ("https", b"GetCallerIdentityResponse")):
            environ = environ_of(program, CALLS["allowed"], **{"wsgi.url_scheme": scheme})
            assert way in answer(ProgramsFirst(through_django), environ)[2]
