"""Locust's web page: it answers this machine alone, and starts nothing beyond the bounds."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]  # it ships no types
from flask import Response, jsonify, request
from locust.util.timespan import parse_timespan

from loadtest.options import problem_with
from tidemark.api.exchange import is_loopback
from tidemark.targets.guard.origin import foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from locust.web import WebUI

_START = "locust.swarm"
_HEADERS = {
    "HTTP_HOST": "host",
    "HTTP_ORIGIN": "origin",
    "HTTP_SEC_FETCH_SITE": "sec-fetch-site",
}
# What Locust reads of a start besides options; the deployment says where to go.
_NO_OPTIONS = {"user_classes", "shape_class", "profile"}


def guard(web_ui: WebUI, options: Namespace) -> None:
    """Guard the page of a Locust process, before it answers anybody.

    Args:
        web_ui: Locust's.
        options: What was parsed from the command line; a start from the page changes it.
    """
    app: Any = web_ui.app
    listens_beyond = not is_loopback(f"http://{options.web_host}")
    app.wsgi_app = _for_this_machine(app.wsgi_app, listens_beyond=listens_beyond)
    app.before_request(partial(_refuse_a_start, web_ui, options))
    app.after_request(partial(_end_in_time, web_ui, options))


def _refuse_a_start(web_ui: WebUI, options: Namespace) -> Response | None:
    if request.endpoint != _START:
        return None
    host = web_ui.environment.host
    problem = _problem_with_a_start(options, request.form, host)
    if problem is None:
        return None
    return jsonify({"success": False, "message": problem, "host": host})


def _end_in_time(web_ui: WebUI, options: Namespace, response: Response) -> Response:
    """End a run for which the page names no time when the command line says; Locust never would."""
    is_begun = request.endpoint == _START and (response.json or {}).get("success")
    if is_begun and not request.form.get("run_time"):
        # The timer is Locust's own, which it ends with a run.
        web_ui._run_time_greenlet = gevent.spawn_later(options.run_time, web_ui._stop_runners)  # noqa: SLF001 -- there is no public way
    return response


def _problem_with_a_start(
    options: Namespace, form: Mapping[str, str], host: str | None
) -> str | None:
    """What is wrong with a start, as Locust would take it from the page's form."""
    asked = Namespace(**{**vars(options), "host": None})
    for name, value in form.items():
        try:
            if name == "user_count":
                asked.num_users = int(value)
            elif name == "spawn_rate":
                asked.spawn_rate = float(value)
            elif name == "run_time":
                asked.run_time = parse_timespan(value) if value else asked.run_time
            elif name == "host":
                asked.host = None if value == host else value
            elif name in vars(asked) and name not in _NO_OPTIONS:
                setattr(asked, name, _read_as(getattr(asked, name), value))
        except ValueError:
            return f"{value!r} is no {name}."
    try:
        return problem_with(asked)
    except ValueError as error:
        return f"{error}."


def _read_as(default: Any, value: str) -> Any:
    if isinstance(default, bool):
        return value == "true"
    return value if default is None or isinstance(default, list) else type(default)(value)


def _for_this_machine(app: Callable[..., Any], *, listens_beyond: bool) -> Callable[..., Any]:
    """The app without its answers to pages of elsewhere, and its invitation to them."""

    def guarded(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = {name: environ[key] for key, name in _HEADERS.items() if key in environ}
        why = foreign(headers, listens_beyond=listens_beyond)
        if why is not None:
            start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"Refused: {why}.\n".encode()]

        def start(status: str, answered: list[tuple[str, str]], *others: Any) -> Any:
            kept = [one for one in answered if not one[0].lower().startswith("access-control-")]
            return start_response(status, kept, *others)

        answer: Iterable[bytes] = app(environ, start)
        return answer

    return guarded
