from datetime import UTC, datetime, timedelta, timezone

import pytest

from api import serialize, shapes
from tests.api.program import xml

LIST_USERS = shapes.operation("iam", "ListUsers")


def test_it_writes_times_as_utc_seconds() -> None:
    at = datetime(2026, 1, 31, 23, 59, 58, 999, tzinfo=timezone(timedelta(hours=2)))
    body = serialize.result(shapes.operation("iam", "GetUser"), {"User": {"CreateDate": at}}, "r")
    assert "<CreateDate>2026-01-31T21:59:58Z</CreateDate>" in body
    assert at.astimezone(UTC).hour == 21


def test_it_leaves_out_what_is_none_and_keeps_what_is_empty() -> None:
    body = serialize.result(LIST_USERS, {"Users": [], "Marker": None, "IsTruncated": False}, "r")
    assert "<ListUsersResult><Users></Users><IsTruncated>false</IsTruncated></ListUsersResult>" in body


def test_it_says_so_when_the_model_has_no_such_member() -> None:
    with pytest.raises(ValueError, match="Colour"):
        serialize.result(LIST_USERS, {"Colour": "blue"}, "r")


def test_it_escapes_everything_and_drops_what_xml_cannot_hold() -> None:
    text = "</Message>&\"'\x00\x0b\ud800\ufffe<!-- ü"
    root = xml(serialize.error("Bad<Code>", text, "<id>", shapes.namespace("iam")))
    assert root.findtext("{*}Error/{*}Message") == "</Message>&\"'<!-- ü"
    assert root.findtext("{*}Error/{*}Code") == "Bad<Code>"
    assert root.findtext("{*}RequestId") == "<id>"


@pytest.mark.parametrize(("ours", "kind"), [(False, "Sender"), (True, "Receiver")])
def test_it_tells_whose_fault_an_error_is(ours: bool, kind: str) -> None:
    root = xml(serialize.error("Code", "text", "id", shapes.namespace("sts"), ours=ours))
    assert root.findtext("{*}Error/{*}Type") == kind
    assert root.tag == "{https://sts.amazonaws.com/doc/2011-06-15/}ErrorResponse"


@pytest.mark.parametrize("service", shapes.SERVICES)
def test_it_names_the_services_namespace(service: str) -> None:
    operation = shapes.operation(service, shapes.operation_names(service)[0])
    version = {"iam": "2010-05-08", "sts": "2011-06-15"}[service]
    assert f'xmlns="https://{service}.amazonaws.com/doc/{version}/"' in serialize.result(operation, {}, "r")
