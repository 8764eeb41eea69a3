"""The run that goes on in Locust's web page: a tab with a table, and a page with charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, request

from loadtest.live import KEPT_S, Second
from tidemark.report.page import Chart, Page, Section, Tile, render

if TYPE_CHECKING:
    from locust.web import WebUI

    from loadtest.live import Live
    from tidemark.percentiles import Spread

_PAGE = "/tide"
_READINGS = "/tide/readings"
_STATISTICS = "/stats/requests"
_TAB = "tide"
_LINK = (
    f'<a href="{_PAGE}" target="_blank" style="position:fixed;left:1rem;bottom:1rem;z-index:9;'
    "padding:.4rem .8rem;border-radius:.4rem;background:#0b5c8a;color:#fff;"
    'font:14px system-ui,sans-serif;text-decoration:none">Tide: live charts</a></body>'
)
_GOES_ON = (
    f"What the last {KEPT_S // 60} minutes look like while the run goes on: counted in passing, "
    "lag by samples. The report at its end has the exact figures."
)
_IS_OVER = "It has ended; this is what was seen of it meanwhile. Its report has the exact figures."


def add(web_ui: WebUI, live: Callable[[], Live | None]) -> None:
    """Add the tab and the page to Locust's.

    Args:
        web_ui: Locust's.
        live: What the newest run shows of itself, if there was one.
    """
    arguments: Any = web_ui.template_args
    arguments["extended_tabs"] = [{"title": "Tide", "key": _TAB}]
    columns = [{"key": "measure", "title": "Measure"}, {"key": "now", "title": "Last 5 seconds"}]
    arguments["extended_tables"] = [{"key": _TAB, "structure": columns}]

    def shown() -> Page:
        return page_of(live())

    def page() -> str:
        return render(shown())

    def readings() -> Response:
        now = shown()
        return jsonify(
            {
                "told": now.ending,
                "tiles": [(one.value, one.told) for one in now.tiles],
                "charts": {
                    one.name: one.rows
                    for section in now.sections
                    for one in section.blocks
                    if isinstance(one, Chart)
                },
            }
        )

    def extended(response: Response) -> Response:
        if request.path == _STATISTICS and response.is_json:
            table = {"key": _TAB, "data": _rows(live())}
            said = {**(response.json or {}), "extended_stats": [table]}
            response.set_data(jsonify(said).get_data())
        elif request.path == "/" and response.mimetype == "text/html":
            response.set_data(response.get_data(as_text=True).replace("</body>", _LINK))
        return response

    may_look: Any = web_ui.auth_required_if_enabled
    app: Any = web_ui.app
    app.add_url_rule(_PAGE, _TAB, may_look(page))
    app.add_url_rule(_READINGS, "tide_readings", may_look(readings))
    app.after_request(extended)


def page_of(live: Live | None) -> Page:
    """The page of a run that goes on, or of none."""
    seconds = [] if live is None else live.seconds()
    began_s = 0 if live is None else live.began_s
    charts = [
        Chart(
            name,
            title,
            unit,
            tuple(lines),
            [[one.at_s - began_s, *(line(one) for line in lines.values())] for one in seconds],
            is_log=unit == _MS,
        )
        for name, title, unit, lines in _CHARTS
    ]
    return Page(
        title="A load run, live",
        verdict="not judged",
        is_well=True,
        ending=_IS_OVER if live is not None and live.is_over else _GOES_ON,
        facts=[],
        tiles=[Tile(value, name, more) for name, value, more in _recent(live)],
        sections=[Section("Second by second", charts)],
        readings=_READINGS,
    )


def _rows(live: Live | None) -> list[dict[str, str]]:
    """The rows of the table: what cells say, by the keys of their columns."""
    rows = ((name, filter(None, values)) for name, *values in _recent(live))
    return [{"measure": name, "now": ", ".join(values)} for name, values in rows]


def _recent(live: Live | None) -> list[tuple[str, str, str]]:
    return [("run", "none yet", "")] if live is None else list(live.recent().rows())


def _p50(spread: Spread | None) -> float | None:
    return None if spread is None else spread.p50_ms


def _p99(spread: Spread | None) -> float | None:
    return None if spread is None else spread.p99_ms


_MS = "ms"
_Lines = Mapping[str, Callable[[Second], float | None]]
_CHARTS: Sequence[tuple[str, str, str, _Lines]] = (
    (
        "positions",
        "Write position against read position",
        "events",
        {"accepted": lambda one: one.accepted, "projected": lambda one: one.projected},
    ),
    (
        "lag",
        "Projection lag, sampled",
        _MS,
        {"p50": lambda one: _p50(one.lag), "p99": lambda one: _p99(one.lag)},
    ),
    (
        "backlog",
        "Backlog",
        "when it was last looked at",
        {
            "events not yet projected": lambda one: one.outbox,
            "messages in the queue": lambda one: one.queued,
        },
    ),
    (
        "throughput",
        "Throughput",
        "calls/s",
        {
            "writes": lambda one: one.writes,
            "reads": lambda one: one.reads,
            "refused": lambda one: one.refused,
            "errors": lambda one: one.errors,
        },
    ),
    (
        "latency",
        "Latency from the intended start",
        _MS,
        {
            "writes p50": lambda one: _p50(one.write),
            "writes p99": lambda one: _p99(one.write),
            "reads p50": lambda one: _p50(one.read),
            "reads p99": lambda one: _p99(one.read),
        },
    ),
)
