from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.api.servers import bare_socket, dead_url, served
from tidemark.api.exchange import Answer, Headers, Request

if TYPE_CHECKING:
    import socket

PROGRAM = Path(__file__).with_name("send_with_locust.py")


def sent(*urls: str) -> list[dict[str, Any]]:
    """Send to each URL from a process that has Locust's patches, and ours does not."""
    done = subprocess.run(
        [sys.executable, PROGRAM, *urls], check=True, text=True, timeout=60, stdout=subprocess.PIPE
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
