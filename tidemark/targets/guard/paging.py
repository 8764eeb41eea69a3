"""The whole of a log, page by page: the emulator gives the first page, and says of no second."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 10_000


def page_logs() -> None:
    """Let `FilterLogEvents` say, from now on and for good, where the next page begins."""
    first_page = cloudwatch_logs._filter_log_events  # noqa: SLF001 -- there is no public way

    def page(asked: Mapping[str, Any]) -> Any:
        limit = min(asked.get("limit", _MOST), _MOST)
        token = asked.get("nextToken")
        try:
            since_ms, given = (asked.get("startTime"), 0) if token is None else _place(token)
        except ValueError:
            return error_response_json(
                "InvalidParameterException", "The specified nextToken is invalid.", 400
            )
        # Of the millisecond in which the last page ended, some were on it.
        looked = min(given + limit, _MOST)
        status, headers, body = first_page({**asked, "startTime": since_ms, "limit": looked})
        said = json.loads(body)
        if "events" not in said:
            return status, headers, body
        found = said["events"]
        if len(found) == looked:
            last_ms = found[-1]["timestamp"]
            said["nextToken"] = _token(last_ms, sum(one["timestamp"] == last_ms for one in found))
        return json_response({**said, "events": found[given:]})

    cloudwatch_logs._filter_log_events = page  # noqa: SLF001 -- likewise


def _token(at_ms: int, given: int) -> str:
    return base64.b64encode(f"{at_ms}/{given}".encode()).decode()


def _place(token: str) -> tuple[int, int]:
    at_ms, given = base64.b64decode(token, validate=True).decode().split("/")
    return int(at_ms), int(given)
