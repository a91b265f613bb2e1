"""What the program on a machine answers, and to whom: EC2's metadata service, version 2, and the container endpoint."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from iamconsole.agent.keeper import Held, Look
from iamconsole.agent.metadata import TOKEN, TTL, Answer, Asked, Metadata
from iamconsole.agent.server import MetadataServer, NotLoopback, parsed
from iamconsole.agent.state import Identity
from iamconsole.agent.tokens import MetadataTokens

WHO = Identity("", machine_id="i-0123456789abcdef0", account_id="111122223333")
HELD = Held(
    role_id="AROAWEB",
    role_name="web",
    profile_arn="arn:aws:iam::111122223333:instance-profile/web",
    profile_id="AIPAWEB",
    access_key_id="ASIAWEB",
    secret_access_key="the-secret",
    token="the-session-token",
    expiration="2026-11-25T12:00:00Z",
    issued=0,
    fetched_at=0,
    renew_at=1,
    expires_at=2,
)
HOME = {"host": "127.0.0.1:9911"}
ROLE = "/latest/meta-data/iam/security-credentials/web"
CONTAINER = {"authorization": "container-token"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def metadata(look: Look | None = None, *, clock: Callable[[], float] | None = None, has_imds: bool = True) -> Metadata:
    tokens = MetadataTokens(clock=clock) if clock else MetadataTokens()
    seen = look or Look(WHO, HELD)
    return Metadata(lambda: seen, "container-token", "eu-west-1", has_imds, tokens)


def ask(service: Metadata, path: str, method: str = "GET", **headers: str) -> Answer:
    return service.answer(Asked(method, path, HOME | headers))


def token_of(service: Metadata, seconds: str = "21600") -> str:
    return ask(service, "/latest/api/token", "PUT", **{TTL: seconds}).text


def get(service: Metadata, path: str, **headers: str) -> Answer:
    return ask(service, path, **{TOKEN: token_of(service)} | headers)


def test_it_answers_as_ec2_does() -> None:
    service = metadata()
    assert get(service, "/latest/meta-data/iam/security-credentials/").text == "web"
    assert get(service, "/latest/meta-data/iam/security-credentials").text == "web"
    answer = get(service, ROLE)
    assert json.loads(answer.text) == {
        "Code": "Success",
        "LastUpdated": "1970-01-01T00:00:00Z",
        "Type": "AWS-HMAC",
        "AccessKeyId": "ASIAWEB",
        "SecretAccessKey": "the-secret",
        "Token": "the-session-token",
        "Expiration": "2026-11-25T12:00:00Z",
    }
    assert answer.is_json and get(service, "/2021-07-15/meta-data/instance-id").text == WHO.machine_id
    info = json.loads(get(service, "/latest/meta-data/iam/info").text)
    assert (info["Code"], info["InstanceProfileArn"]) == ("Success", HELD.profile_arn)
    assert get(service, "/latest/meta-data/placement/region").text == "eu-west-1"
    assert get(service, "/latest/meta-data/placement/availability-zone/").text == "eu-west-1a"
    document = json.loads(get(service, "/latest/dynamic/instance-identity/document").text)
    assert (document["accountId"], document["region"]) == (WHO.account_id, "eu-west-1")
    assert get(service, "/latest/meta-data/").text.splitlines() == ["iam/", "instance-id", "placement/"]


@pytest.mark.parametrize(
    "path", ["/", "/latest", f"{ROLE}s", "/latest/user-data", "/latest/meta-data/iam/x", "/meta-data/", "/Latest/x"]
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert get(metadata(), path).status == 404


@pytest.mark.bar(94)
@pytest.mark.parametrize("token", [None, "", "x", "é", "A" * 56, "A" * 75 + "="])
def test_the_first_version_is_refused(token: str | None) -> None:
    headers = {} if token is None else {TOKEN: token}
    for path in (ROLE, "/latest/meta-data/", "/anything"):
        answer = ask(metadata(), path, **headers)
        assert (answer.status, answer.text) == (401, "")


@pytest.mark.bar(94)
def test_a_session_token_ends_and_belongs_to_one_process() -> None:
    clock = Clock()
    service = metadata(clock=clock)
    token = token_of(service, "60")
    assert ask(service, ROLE, **{TOKEN: token}).status == 200
    assert ask(metadata(clock=clock), ROLE, **{TOKEN: token}).status == 401
    flipped = [
        token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in range(len(token))
    ]
    statuses = {ask(service, ROLE, **{TOKEN: wrong}).status for wrong in flipped}
    assert statuses == {401}
    clock.now = 60
    assert ask(service, ROLE, **{TOKEN: token}).status == 401


@pytest.mark.bar(94)
@pytest.mark.parametrize(
    ("seconds", "status"),
    [("1", 200), ("21600", 200), ("0", 400), ("21601", 400), ("", 400), ("-1", 400), ("1.5", 400), ("٣", 400)],
)
def test_a_session_token_lasts_from_a_second_to_six_hours(seconds: str, status: int) -> None:
    answer = ask(metadata(), "/latest/api/token", "PUT", **{TTL: seconds})
    assert answer.status == status and bool(answer.text) is (status == 200)
    assert answer.headers.get(TTL, "") == (seconds if status == 200 else "")


@pytest.mark.bar(94)
@pytest.mark.parametrize("header", ["x-forwarded-for", "x-forwarded-host", "forwarded", "via", "origin"])
def test_what_was_passed_on_is_refused(header: str) -> None:
    service = metadata()
    sent = {header: "10.0.0.1", TTL: "60"}
    assert ask(service, "/latest/api/token", "PUT", **sent).status == 403
    assert get(service, ROLE, **sent).status == 403
    assert ask(service, "/credentials", **CONTAINER, **sent).status == 403


@pytest.mark.bar(94)
@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:9911", "127.0.0.1.evil.example", "localhost.evil.example", "*"),
        *("10.0.0.1", "169.254.169.253", "[::2]:9911", "[::1].evil.example", "2130706433", "127.1", "127.0.0.1@evil"),
    ],
)
def test_a_name_that_somebody_has_led_here_is_refused(host: str) -> None:
    """DNS rebinding: a page in a browser on this machine asks its own name, which now means this machine."""
    service = metadata()
    token = token_of(service)
    for path, method, headers in (
        ("/latest/api/token", "PUT", {TTL: "60"}),
        (ROLE, "GET", {TOKEN: token}),
        ("/credentials", "GET", CONTAINER),
    ):
        answer = service.answer(Asked(method, path, {"host": host, **headers}))
        assert answer.status == 403, path


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9911", "[::1]:9911", "127.9.9.9:80", "169.254.169.254"])
def test_names_of_this_machine_are_answered(host: str) -> None:
    assert metadata().answer(Asked("PUT", "/latest/api/token", {"host": host, TTL: "60"})).status == 200


@pytest.mark.bar(94)
@pytest.mark.parametrize("shown", ["", "container-toke", "container-token ", "Bearer container-token", "é"])
def test_the_container_endpoint_wants_its_token(shown: str) -> None:
    answer = ask(metadata(), "/credentials", **({"authorization": shown} if shown else {}))
    assert answer.status == 401 and "Key" not in answer.text


@pytest.mark.bar(94)
def test_an_empty_container_token_opens_nothing() -> None:
    service = replace(metadata(), container_token="")
    assert [ask(service, "/credentials", **sent).status for sent in ({}, {"authorization": ""})] == [401, 401]


def test_the_container_endpoint_gives_the_credentials() -> None:
    content = json.loads(ask(metadata(), "/credentials", **CONTAINER).text)
    assert sorted(content) == ["AccessKeyId", "Expiration", "SecretAccessKey", "Token"]


def test_with_the_container_endpoint_alone_nothing_is_told_without_its_token() -> None:
    service = metadata(has_imds=False)
    assert ask(service, "/latest/api/token", "PUT", **{TTL: "60"}).status == 404
    assert ask(service, ROLE).status == 404
    assert ask(service, "/credentials", **CONTAINER).status == 200


@pytest.mark.parametrize(
    ("look", "status"),
    [
        (Look(None, None), 503),
        (Look(None, None, "NotJoined", "This machine has not joined."), 404),
        (Look(WHO, None, "Unreachable", "No way there."), 503),
        (Look(WHO, None, "NoRole", "No profile."), 404),
        (Look(WHO, None, "InvalidMachineProof", "Removed."), 404),
    ],
)
def test_it_says_when_there_is_nothing_and_whether_to_ask_again(look: Look, status: int) -> None:
    service = metadata(look)
    paths = (ROLE, "/latest/meta-data/iam/info", "/latest/meta-data/iam/security-credentials/")
    assert {get(service, path).status for path in paths} == {status}
    answer = ask(service, "/credentials", **CONTAINER)
    assert (answer.status, answer.text) == (status, look.message)
    assert get(service, "/latest/meta-data/instance-id").status == (200 if look.identity else status)


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE", "OPTIONS"])
def test_it_takes_no_other_methods(method: str) -> None:
    service = metadata()
    for path, headers in (("/latest/api/token", {}), (ROLE, {TOKEN: token_of(service)}), ("/credentials", CONTAINER)):
        assert ask(service, path, method, **headers).status == 405


def test_secrets_are_in_no_text_of_what_is_held() -> None:
    seen = repr((Look(replace(WHO, key_text="the-key"), HELD), metadata(), Answer(200, "the-secret")))
    assert not [
        secret for secret in ("the-key", "the-secret", "the-session-token", "container-token") if secret in seen
    ]


@pytest.mark.bar(94)
@pytest.mark.parametrize("listen", ["10.0.0.1:9911", "[::]:80", "iam.example.com:80", "9911", "", "169.254.169.254:80"])
def test_it_listens_on_loopback_only(listen: str) -> None:
    with pytest.raises(NotLoopback):
        parsed(listen)
    assert (parsed("127.0.0.1:9911"), parsed("[::1]:80")) == (("127.0.0.1", 9911), ("::1", 80))


@pytest.fixture
def server() -> Iterator[MetadataServer]:
    with MetadataServer(("127.0.0.1", 0), metadata()) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def said(server: MetadataServer, *lines: str) -> bytes:
    with socket.create_connection(server.server_address[:2], timeout=60) as connection:  # type: ignore[arg-type] # an address of IPv4
        connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        return b"".join(iter(lambda: connection.recv(4096), b""))


@pytest.mark.bar(94)
def test_no_packet_of_its_gets_past_the_first_router(server: MetadataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hops = []
    finish = server.finish_request

    def look(request: socket.socket, address: object) -> None:
        hops.append(request.getsockopt(socket.IPPROTO_IP, socket.IP_TTL))
        finish(request, address)

    monkeypatch.setattr(server, "finish_request", look)
    assert said(server, "GET / HTTP/1.1", "Host: localhost").startswith(b"HTTP/1.0 401 ")
    assert hops == [1] and server.socket.getsockopt(socket.IPPROTO_IP, socket.IP_TTL) == 1


@pytest.mark.bar(94, 126)
@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("GET / HTTP/1.1", "Host: localhost", "Host: evil.example"), b"400"),
        (("GET / HTTP/1.1", "Host: evil.example", "Host: localhost"), b"400"),
        (("GET / HTTP/1.0",), b"403"),
        (("GET http://evil.example/ HTTP/1.1", "Host: localhost"), b"401"),
        (("GET /credentials HTTP/1.1", "Host: localhost", "Authorization: container-token"), b"200"),
        (("BREW / HTTP/1.1", "Host: localhost"), b"501"),
        (("HEAD /credentials HTTP/1.1", "Host: localhost", "Authorization: container-token"), b"405"),
        (("GET / HTTP/1.1", "Host: localhost", *(f"X-{number}: x" for number in range(200))), b"431"),
    ],
)
def test_it_reads_requests_one_way(server: MetadataServer, lines: tuple[str, ...], status: bytes) -> None:
    answer = said(server, *lines)
    assert answer.split(b" ")[1] == status, answer
