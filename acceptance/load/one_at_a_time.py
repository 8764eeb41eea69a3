"""A bank of which each account takes one command at a time, however quick its machine is."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.api.servers import served
from tidemark.api.exchange import Answer, Headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.api.exchange import Request

_TAKES_S = 0.4
_WAITS_S = 0.3
_ACCEPTED = 202
_COMMAND = re.compile(r".*/accounts/([^/?]+)/\w+")
_OF_THE_LINE = {"connection", "content-length", "date", "server", "transfer-encoding"}
_BUSY = Answer(
    409,
    Headers({"content-type": "application/problem+json", "retry-after": "1"}),
    json.dumps({"type": "urn:tidemark:problem:busy", "status": 409}).encode(),
)


@contextmanager
def one_at_a_time(api_url: str) -> Iterator[str]:
    """Stand before a bank, and let the commands of an account wait for each other.

    Who waits too long is told that the account is busy, as by a handler whose every write meets
    another one. Who was answered before is answered alike, without a wait.

    Args:
        api_url: Where the bank is.
    """
    bank = urlsplit(api_url)
    accounts: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
    accepted: set[str] = set()

    def passed_on(request: Request) -> Answer:
        connection = http.client.HTTPConnection(bank.netloc, timeout=30)
        try:
            connection.request(request.method, request.url, request.body, dict(request.headers))
            answer = connection.getresponse()
            headers = [one for one in answer.getheaders() if one[0].lower() not in _OF_THE_LINE]
            return Answer(answer.status, Headers(headers), answer.read())
        finally:
            connection.close()

    def told(request: Request) -> Answer:
        commanded = _COMMAND.fullmatch(request.url)
        key = request.headers.get("idempotency-key", "")
        if request.method != "POST" or commanded is None or key in accepted:
            return passed_on(request)
        account = accounts[commanded[1]]
        if not account.acquire(timeout=_WAITS_S):
            return _BUSY
        try:
            time.sleep(_TAKES_S)  # what a slow handler takes
            answer = passed_on(request)
            if answer.status == _ACCEPTED:
                accepted.add(key)
            return answer
        finally:
            account.release()

    with served(told) as url:
        yield f"{url}{bank.path}"
