from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from tests.api.servers import bare_socket, dead_url, served
from tidemark.api.exchange import Answer, Headers, LostError, NotSentError, Request, is_loopback
from tidemark.api.httpx_transport import HttpxTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@pytest.fixture
def transport() -> Iterator[HttpxTransport]:
    with HttpxTransport(timeout_s=20) as httpx_transport:
        yield httpx_transport


def test_a_request_arrives_as_it_is_and_its_answer_comes_back(transport: HttpxTransport) -> None:
    arrived: list[Request] = []

    def answer(request: Request) -> Answer:
        arrived.append(request)
        return Answer(422, Headers({"ETag": '"1"'}), b"body")

    with served(answer) as url:
        answered = transport(Request("POST", f"{url}/a%2Fb?c=%7B", Headers({"x-y": "z"}), b"in"))
    assert (answered.status, answered.headers["etag"], answered.body) == (422, '"1"', b"body")
    (request,) = arrived
    assert (request.method, request.url, request.body) == ("POST", "/a%2Fb?c=%7B", b"in")
    assert request.headers["x-y"] == "z"


def test_a_redirect_is_an_answer_and_not_followed(transport: HttpxTransport) -> None:
    arrived = []

    def answer(request: Request) -> Answer:
        arrived.append(request.url)
        return Answer(307, Headers({"Location": "/elsewhere"}))

    with served(answer) as url:
        assert transport(Request("POST", f"{url}/here")).status == 307
    assert arrived == ["/here"]


def test_a_refused_connection_was_not_sent(transport: HttpxTransport) -> None:
    with pytest.raises(NotSentError, match="refused"):
        transport(Request("POST", dead_url()))


def test_an_answer_that_ends_too_soon_is_lost(transport: HttpxTransport) -> None:
    def cut_off(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{")

    with bare_socket(cut_off) as (url, _), pytest.raises(LostError):
        transport(Request("POST", url))


@pytest.mark.parametrize("linger", [None, RESET_ON_CLOSE])
def test_a_connection_that_closes_without_an_answer_is_lost_and_nothing_is_sent_twice(
    transport: HttpxTransport, linger: bytes | None
) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(65536)
        if linger is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    with bare_socket(hang_up) as (url, accepted):
        with pytest.raises(LostError):
            transport(Request("POST", url, body=b"{}"))
        assert accepted == [1]


def test_an_answer_that_does_not_come_in_time_is_lost() -> None:
    def wait_for_the_end(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with (
        bare_socket(wait_for_the_end) as (url, _),
        HttpxTransport(timeout_s=0.1) as impatient,
        pytest.raises(LostError, match="Timeout"),
    ):
        impatient(Request("POST", url))


def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, dead_url())
        monkeypatch.setenv(name.lower(), dead_url())
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with served(lambda _: Answer(200)) as url, HttpxTransport(timeout_s=20) as transport:
        assert transport(Request("GET", url)).status == 200
        assert transport(Request("GET", url.replace("127.0.0.1", "localhost"))).status == 200


def test_elsewhere_the_proxy_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def proxy(request: Request) -> Answer:
        asked.append(request.url)
        return Answer(200)

    with served(proxy) as url:
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with HttpxTransport(timeout_s=20) as transport:
            transport(Request("GET", "http://api.invalid/accounts"))
    assert asked == ["http://api.invalid/accounts"]


@pytest.mark.parametrize(
    ("url", "claim"),
    [
        ("http://127.0.0.1:4566/x", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80", True),
        ("http://localhost:1", True),
        ("https://abc.execute-api.eu-north-1.amazonaws.com", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("no url", False),
    ],
)
def test_loopback_is_recognised(url: str, claim: bool) -> None:  # noqa: FBT001 -- a parameter of the table above
    assert is_loopback(url) is claim
