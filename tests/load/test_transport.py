from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

from tests.api.servers import bare_socket, dead_url, served
from tidemark.api.exchange import Answer, Headers, Request

if TYPE_CHECKING:
    import socket

PROGRAM = Path(__file__).with_name("send_with_locust.py")


def sent(*urls: str, trusted: Path | None = None) -> list[dict[str, Any]]:
    """Send to each URL from a process that has Locust's patches, and ours does not."""
    env = {**os.environ, **({} if trusted is None else {"SSL_CERT_FILE": str(trusted)})}
    command = [sys.executable, str(PROGRAM), *urls]
    done = subprocess.run(
        command, check=True, env=env, text=True, timeout=60, stdout=subprocess.PIPE
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_answer_comes_back_whole_and_is_one_row_of_the_statistics() -> None:
    arrived: list[Request] = []

    def answer(request: Request) -> Answer:
        arrived.append(request)
        problem = b'{"type": "urn:tidemark:problem:%s"}' % request.url.rpartition("/")[2].encode()
        match request.url:
            case "/a%2Fb?c=%7B":
                return Answer(202, Headers({"ETag": '"1"'}), b"{}")
            case "/moved":
                return Answer(307, Headers({"Location": "/elsewhere"}))
            case "/broken":
                return Answer(500, body=b"{}")
            case _:
                return Answer(409, body=problem)

    with served(answer) as url:
        ok, busy, exists, broken, moved = sent(
            f"{url}/a%2Fb?c=%7B",
            f"{url}/busy",
            f"{url}/already-exists",
            f"{url}/broken",
            f"{url}/moved",
        )
    assert (ok["status"], ok["headers"]["ETag"], ok["body"]) == (202, '"1"', "{}")
    assert ok["rows"] == busy["rows"] == [["POST", "/a/{id}", True]]
    assert exists["rows"] == broken["rows"] == moved["rows"] == [["POST", "/a/{id}", False]]
    assert [busy["status"], broken["status"], moved["status"]] == [409, 500, 307]
    assert [request.url for request in arrived][-1] == "/moved"
    assert (arrived[0].url, arrived[0].body) == ("/a%2Fb?c=%7B", b"in")
    assert arrived[0].headers["x-y"] == "z"


def test_what_was_lost_is_told_from_what_was_never_sent_and_nothing_is_sent_twice() -> None:
    def cut_off(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{")

    def hang_up(connection: socket.socket) -> None:
        connection.recv(65536)

    def wait_for_the_end(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with (
        bare_socket(cut_off) as (cutting, cuts),
        bare_socket(hang_up) as (hanging, hang_ups),
        bare_socket(wait_for_the_end) as (waiting, waits),
    ):
        answers = sent(cutting, hanging, waiting, dead_url())
    assert [answer["error"] for answer in answers] == ["LostError"] * 3 + ["NotSentError"]
    assert [cuts, hang_ups, waits] == [[1], [1], [1]]
    assert all(answer["rows"] == [["POST", "/a/{id}", False]] for answer in answers)


def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_is_not_sent_over() -> None:
    closed = threading.Event()

    def answer_once(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        connection.close()
        closed.set()

    def answer_on(_: Request) -> Answer:
        closed.wait(30)
        ports.add(threading.get_ident())  # a thread serves a connection
        return Answer(200, body=b"{}")

    ports: set[int] = set()
    with bare_socket(answer_once) as (closing, accepted), served(answer_on) as keeping:
        answers = sent(closing, keeping, keeping, closing)
    assert [answer["status"] for answer in answers] == [200] * 4
    assert (accepted, len(ports)) == ([2], 1)


def test_each_answer_has_all_of_its_time_whatever_those_before_it_took() -> None:
    # Together they take longer than the transport waits for one.
    def answer(_: Request) -> Answer:
        threading.Event().wait(0.25)
        return Answer(200)

    with served(answer) as url:
        said = sent(*[url] * 6)

    assert [one.get("status") for one in said] == [200] * 6


def test_who_cannot_prove_who_it_is_is_sent_nothing(tmp_path: Path) -> None:
    arrived: list[Request] = []

    def answer(request: Request) -> Answer:
        arrived.append(request)
        return Answer(200, body=b"{}")

    authorities = [trustme.CA(), trustme.CA()]
    trusted = tmp_path / "ca.pem"
    authorities[0].cert_pem.write_to_path(trusted)
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in authorities]
    for authority, context in zip(authorities, contexts, strict=True):
        authority.issue_cert("127.0.0.1").configure_cert(context)
    with served(answer, contexts[0]) as known, served(answer, contexts[1]) as unknown:
        answers = sent(f"{known}/a", f"{unknown}/b", trusted=trusted)
    assert [answers[0]["status"], answers[1]["error"]] == [200, "NotSentError"]
    assert [request.url for request in arrived] == ["/a"]
