"""What a failed session shows of its requests, and what it never shows."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.api.exchange import Answer, Headers, LostError, Request
from tidemark.testing import transcript
from tidemark.testing.transcript import Transcript

if TYPE_CHECKING:
    from pathlib import Path


REQUEST = Request(
    "POST",
    "http://api/accounts",
    Headers(
        {
            "Authorization": "AWS4-HMAC-SHA256 Signature=cafe",
            "X-Amz-Security-Token": "t0ken",
            "Idempotency-Key": "key",
        }
    ),
    b'{"owner_id": "ada"}',
    route="POST /accounts",
)


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_exchange_is_written_down_with_the_test_that_sent_it(tmp_path: Path) -> None:
    answer = Answer(202, Headers({"ETag": '"1"'}), b'{"version": 1}')
    path = tmp_path / "requests" / "Tidemark.jsonl"
    ticks = iter([5_000_000_000, 5_002_500_000])

    assert Transcript(path, lambda: next(ticks)).of(lambda _: answer)(REQUEST) is answer

    [line] = written(path)
    assert "test_an_exchange_is_written_down" in line.pop("test")
    assert line == {
        "at_ms": 5_000,
        "took_ms": 2.5,
        "method": "POST",
        "url": "http://api/accounts",
        "headers": {"Idempotency-Key": "key"},
        "body": '{"owner_id": "ada"}',
        "answer": {"status": 202, "headers": {"ETag": '"1"'}, "body": '{"version": 1}'},
    }


def test_a_request_without_an_answer_is_written_down_and_its_error_passes(tmp_path: Path) -> None:
    def lose(_: Request) -> Answer:
        raise LostError("the connection was cut")

    with pytest.raises(LostError):
        Transcript(tmp_path / "requests.jsonl").of(lose)(REQUEST)

    [line] = written(tmp_path / "requests.jsonl")
    assert line["error"] == "LostError: the connection was cut"
    assert "answer" not in line


def test_nothing_that_proves_who_sent_is_written_down(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    said = b"The canonical string should have been 'x-amz-security-token:t0ken' (AWS4-HMAC-SHA256 "
    answer = Answer(403, Headers({"Set-Cookie": "session=5ecret"}), said + b"Signature=cafe)")

    Transcript(path).of(lambda _: answer)(REQUEST)

    text = path.read_text(encoding="utf-8")
    assert [secret for secret in ("cafe", "t0ken", "5ecret") if secret in text] == []
    assert "The canonical string should have been" in text


def test_what_is_not_known_to_be_harmless_is_not_written_down(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    request = Request(
        "GET",
        "https://ada:passw0rd@api/reports?X-Amz-Signature=s1gnature&min_version=3",
        Headers({"X-Api-Key": "k3y", "X-Of-Their-Own": "t0ken-of-theirs", "Accept": "text/plain"}),
    )
    answer = Answer(403, Headers({"X-Refresh": "n3w-token"}), b"not for t0ken-of-theirs, s1gnature")

    def refuse(_: Request) -> Answer:
        raise LostError("no answer for s1gnature")

    Transcript(path).of(lambda _: answer)(request)
    with pytest.raises(LostError):
        Transcript(path).of(refuse)(request)

    text = path.read_text(encoding="utf-8")
    secrets = ("passw0rd", "s1gnature", "k3y", "t0ken-of-theirs", "n3w-token")
    assert [secret for secret in secrets if secret in text] == []
    [first, _] = written(path)
    assert first["url"] == "https://…@api/reports?X-Amz-Signature=…&min_version=3"
    assert first["headers"] == {"Accept": "text/plain"}


def test_a_long_body_is_cut_and_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    most = transcript.MOST_OF_A_BODY_BYTES
    request = Request("POST", "http://api", body=b"\xff\x00")

    Transcript(path).of(lambda _: Answer(200, body=b"a" * (most + 7)))(request)

    [line] = written(path)
    assert line["answer"]["body"] == "a" * most + "… (7 bytes more)"
    assert line["body"] == "\ufffd\x00"


def test_lines_of_several_threads_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    sends = Transcript(path).of(lambda _: Answer(200, body=b"b" * 9_000))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sends, [REQUEST] * 200))

    assert len(written(path)) == 200
