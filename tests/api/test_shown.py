"""What of a URL and of headers is shown, and what of them nobody reads."""

from __future__ import annotations

import pytest

from tidemark.api.exchange import Headers
from tidemark.api.shown import secrets_of, shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
        ("http://127.0.0.1:abc", "http://127.0.0.1:abc"),
        ("https://api/v1/accounts/a%40b?min_version=2&wait_ms=9", None),
        ("https://api/accounts?cursor=abc&limit=5", None),
        ("", ""),
        ("http://ada:s3cret@host:4566/x", "http://…@host:4566/x"),
        ("http://:s3cret@host", "http://…@host"),
        ("http://s3cret@host", "http://…@host"),
        ("http://ada:s3cret/s3cret@host", "http://…@host"),
        ("http://ada:s3cret?s3cret#s3cret@host", "http://…@host"),
        ("http://ada:s3cret@s3cret@host", "http://…@host"),
        ("http:ada:s3cret@host", "http:…@host"),
        ("http:\\\\ada:s3cret@host", "http:\\\\…@host"),
        ("s3cret:s3cret@host", "…@host"),
        ("//ada:s3cret@host", "//…@host"),
        ("  http://ada:s3cret@host", "  http://…@host"),
        ("http://ada:s3cret%40host/x", "http://…@host/x"),
        ("http://ada:s3cret\uff20host", "http://…@host"),
        ("tcp://ada:s3cret@docker:2375", "tcp://…@docker:2375"),
        (
            "https://b.s3/k?X-Amz-Signature=s3cret&limit=1",
            "https://b.s3/k?X-Amz-Signature=…&limit=1",
        ),
        ("https://api/x?s3cret#s3cret", "https://api/x?…#…"),
    ],
)
def test_a_url_is_shown_without_what_opens_anything(url: str, shown: str | None) -> None:
    assert shown_url(url) == (url if shown is None else shown)


def test_what_is_not_shown_is_looked_for_in_answers() -> None:
    headers = {"X-Api-Key": "the-key", "Accept": "text/html", "X-Short": "no"}

    found = secrets_of("https://api/x?token=the-token&limit=10000&empty=", headers)

    assert sorted(found) == ["the-key", "the-token"]


def test_headers_are_printed_by_the_same_list() -> None:
    assert repr(Headers({"X-Api-Key": "the-key", "ETag": "1"})) == (
        "Headers({'X-Api-Key': '…', 'ETag': '1'})"
    )
