from __future__ import annotations

import pytest
from geventhttpclient.response import HTTPParseError

from loadtest.line import Reading

INTERIM = b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
SIZED = b'HTTP/1.1 202 Accepted\r\nETag: "4"\r\nX-Empty:\r\nContent-Length: 2\r\n\r\n{}'
CHUNKED = (
    b'HTTP/1.1 202 Accepted\r\nETag: "4"\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n'
    b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("answer", [SIZED, CHUNKED, INTERIM + SIZED])
@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_an_answer_is_read_whole_in_whatever_pieces_it_comes(answer: bytes, at_once: int) -> None:
    reading = Reading("POST")
    for start in range(0, len(answer), at_once):
        assert not reading.is_whole
        reading.feed(answer[start : start + at_once])

    assert reading.is_whole
    assert (reading.get_code(), bytes(reading.body)) == (202, b"{}")
    assert list(zip(reading.names, reading.values, strict=True))[:2] == [
        ("ETag", '"4"'),
        ("X-Empty", ""),
    ]
    assert reading.should_keep_alive()


def test_a_body_of_no_stated_length_ends_with_the_connection() -> None:
    reading = Reading("GET")
    reading.feed(b"HTTP/1.1 200 OK\r\n\r\n{}")
    assert not reading.is_whole
    reading.feed(b"")
    assert reading.is_whole
    assert not reading.should_keep_alive()


@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"no HTTP"])
def test_what_is_cut_off_or_no_http_is_no_answer(sent: bytes) -> None:
    reading = Reading("GET")
    with pytest.raises(HTTPParseError):  # noqa: PT012 -- whichever sees it first
        reading.feed(sent)
        reading.feed(b"")
    assert not reading.is_whole
