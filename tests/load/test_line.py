from __future__ import annotations

from typing import TYPE_CHECKING

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadtest.line import UNREADABLE, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INTERIM = b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
SIZED = b'HTTP/1.1 202 Accepted\r\nETag: "4"\r\nX-Empty:\r\nContent-Length: 2\r\n\r\n{}'
CHUNKED = (
    b'HTTP/1.1 202 Accepted\r\nETag: "4"\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n'
    b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
)
OPEN = b"HTTP/1.1 200 OK\r\n\r\n{}"
FIELD = st.tuples(
    st.from_regex(r"\AX-[A-Za-z0-9-]{1,8}\Z").map(str.encode),
    st.from_regex(r"\A[!-~]([ -~]{0,8}[!-~])?\Z").map(str.encode) | st.just(b""),
)
PIECES = st.lists(st.integers(1, 40), max_size=30)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Answers of each way to say where a body ends, after what announces them."""
    status = draw(st.sampled_from([200, 202, 204, 304, 404, 409, 500, 504]))
    has_body = status not in {204, 304}
    ending = draw(st.sampled_from(["length", "chunked", "close"] if has_body else ["none"]))
    fields = draw(st.lists(FIELD, max_size=4))
    if draw(st.booleans()):
        fields.append((b"Connection", draw(st.sampled_from([b"close", b"keep-alive"]))))
    parts = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=3)) if has_body else []
    body = b"".join(parts)
    if ending == "length":
        fields.append((b"content-length", str(len(body)).encode()))
    if ending == "chunked":
        fields.append((b"Transfer-Encoding", b"chunked"))
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    head = b"".join(b"%b: %b\r\n" % field for field in fields)
    return draw(st.sampled_from([b"", INTERIM])) + (
        b"HTTP/1.1 %d Said\r\n%b\r\n%b" % (status, head, body)
    )


def in_pieces(answer: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    for size in sizes:
        yield answer[:size]
        answer = answer[size:]
    yield answer


def read(reading: Reading, pieces: Iterator[bytes]) -> Reading:
    for piece in pieces:
        if piece and not reading.is_whole:
            reading.feed(piece)
    if not reading.is_whole:
        reading.feed(b"")
    return reading


@settings(deadline=None)
@given(answers(), PIECES)
@example(SIZED, [])
@example(CHUNKED, [1] * 200)
@example(INTERIM + SIZED, [7] * 30)
@example(OPEN, [])
def test_an_answer_is_read_as_another_reader_does_in_whatever_pieces_it_comes(
    answer: bytes, sizes: list[int]
) -> None:
    other = h11.Connection(h11.CLIENT)
    other.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    other.send(h11.EndOfMessage())
    other.receive_data(answer)
    other.receive_data(b"")
    body = b""
    while not isinstance(event := other.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += event.data

    reading = read(Reading(), in_pieces(answer, sizes))

    assert (reading.is_whole, reading.status, reading.body) == (True, response.status_code, body)
    assert [(name.lower().encode(), value.encode()) for name, value in reading.fields] == list(
        response.headers
    )


@settings(deadline=None)
@given(answers(), answers(), PIECES)
def test_what_is_kept_is_asked_again_and_read_alike(
    first: bytes, second: bytes, sizes: list[int]
) -> None:
    reading = read(Reading(), in_pieces(first, sizes))
    if reading.is_kept:
        reading.begin()
        again, alone = read(reading, in_pieces(second, sizes)), Reading()
        read(alone, in_pieces(second, []))
        for what in ("status", "fields", "body", "is_kept", "is_whole"):
            assert getattr(again, what) == getattr(alone, what)


@pytest.mark.parametrize("answer", [SIZED, CHUNKED, INTERIM + SIZED])
def test_what_is_cut_off_is_no_answer(answer: bytes) -> None:
    for cut in range(len(answer)):
        reading = Reading()
        with pytest.raises(ConnectionError):
            read(reading, iter([answer[:cut]]))
        assert not reading.is_whole


@pytest.mark.parametrize(
    "said",
    [
        b"no HTTP",
        SIZED + SIZED,
        b"HTTP/1.1 101 Other\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    ],
)
def test_what_is_no_answer_or_more_than_one_is_told(said: bytes) -> None:
    with pytest.raises(UNREADABLE):
        Reading().feed(said)


@pytest.mark.parametrize(
    ("answer", "is_kept"),
    [
        (SIZED, True),
        (CHUNKED, True),
        (OPEN, False),
        (SIZED.replace(b"X-Empty:", b"Connection: close"), False),
        (SIZED.replace(b"1.1", b"1.0"), False),
    ],
)
def test_a_connection_is_kept_as_its_answer_says(answer: bytes, *, is_kept: bool) -> None:
    assert read(Reading(), iter([answer])).is_kept is is_kept
