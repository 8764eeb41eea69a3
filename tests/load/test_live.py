"""What a load run shows of itself while it goes on, and the page that shows it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, jsonify
from msgspec import structs

from loadtest import live_page
from loadtest.live import KEPT_S, Live
from tests.measures.ops import op
from tidemark.api.call import Kind
from tidemark.api.op import Outcome, Purpose
from tidemark.report.page import NOTHING

if TYPE_CHECKING:
    from flask.testing import FlaskClient

BEGAN_S = 1_000


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.s = float(BEGAN_S)

    def __call__(self) -> int:
        return round(self.s * 1e9)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def live(clock: Clock) -> Live:
    return Live(clock)


def at(second: float, **about: Any) -> Any:
    return op(start_ms=(BEGAN_S + second) * 1000, **about)


def shown(live: Live) -> dict[str, tuple[str, str]]:
    return {name: (value, more) for name, value, more in live.recent().rows()}


def waiting(queued: int | None, outbox: int) -> dict[str, int | None]:
    in_flight = None if queued is None else 0
    return {"queue_visible": queued, "queue_in_flight": in_flight, "outbox": outbox}


def test_calls_are_counted_in_the_second_in_which_they_end(live: Live, clock: Clock) -> None:
    for one in (
        at(0.1, took_ms=10),
        at(0.2, took_ms=30),
        at(0.9, took_ms=200, kind=Kind.QUERY),
        at(1.5, outcome=Outcome.FAIL, problem="insufficient-funds"),
        at(1.6, outcome=Outcome.FAIL, problem="http-400"),
        at(1.7, outcome=Outcome.INFO, problem="lost"),
        at(1.8, replayed=True),
    ):
        live.take(one)
    clock.s += 2

    first, second = live.seconds()
    assert (first.writes, first.reads, first.accepted) == (2, 0, 2)
    assert (second.writes, second.reads, second.accepted) == (0, 1, 2)
    assert (second.refused, second.errors) == (1, 2)
    assert first.write is not None
    assert (first.write.p50_ms, first.write.max_ms) == (10, 30)
    assert first.read is None


def test_what_is_on_its_way_stays_as_it_was_last_seen(live: Live, clock: Clock) -> None:
    for _ in range(9):
        live.take(at(0.1))
    live.waits(waiting(3, 4))
    clock.s += 2

    assert [(one.queued, one.outbox, one.projected) for one in live.seconds()] == [(3, 4, 5)] * 2
    assert shown(live)["of them projected"] == ("5", "")


def test_where_there_is_no_queue_the_outbox_says_what_is_projected(
    live: Live, clock: Clock
) -> None:
    live.take(at(0.1))
    live.waits(waiting(None, 1))
    clock.s += 1

    assert shown(live)["messages in the queue"] == (NOTHING, "")
    assert shown(live)["of them projected"] == ("0", "")


def test_lag_is_that_of_samples_that_were_projected(live: Live, clock: Clock) -> None:
    live.saw({"recorded_at_ms": 100, "projected_at_ms": None})
    assert shown(live)["projection lag, sampled"] == (NOTHING, f"p99 {NOTHING}")

    live.saw({"recorded_at_ms": 100, "projected_at_ms": 170})
    clock.s += 1

    assert shown(live)["projection lag, sampled"] == ("70 ms", "p99 70 ms")


def test_only_the_load_counts(live: Live, clock: Clock) -> None:
    live.take(structs.replace(at(0.1), purpose=Purpose.SETUP))
    clock.s += 1

    assert live.seconds()[0].writes == 0


def test_the_last_seconds_are_a_mean_of_those_that_are_over(live: Live, clock: Clock) -> None:
    for second in range(10):
        live.take(at(second))
    clock.s += 10

    assert shown(live)["writes"] == ("1.0/s", "")
    clock.s += 5
    assert shown(live)["writes"] == ("0.0/s", "")


def test_memory_stays_flat_however_long_and_fast_a_run_is(live: Live, clock: Clock) -> None:
    for second in range(KEPT_S + 50):
        live.take(at(second))
    for _ in range(2_000):
        live.take(at(KEPT_S + 50))
    clock.s += KEPT_S + 51
    assert sum(len(one.write_ms) for one in live.seconds()) < 500 + 10
    clock.s = BEGAN_S + 10 * KEPT_S

    kept = live.seconds()

    assert len(kept) == KEPT_S
    assert kept[-1].at_s == BEGAN_S + 10 * KEPT_S - 1
    assert sum(len(one.write_ms) for one in kept) <= 500
    assert kept[-1].accepted == KEPT_S + 50 + 2_000


def test_what_workers_report_is_added_in_its_second_and_shown_when_all_have_reported(
    clock: Clock,
) -> None:
    master, workers = Live(clock, is_told=True), [Live(clock) for _ in range(2)]
    for second in range(8):
        for worker in workers:
            worker.take(at(second, took_ms=10 + second))
    workers[0].take(at(7.5, replayed=True))  # an earlier event
    master.waits(waiting(0, 3))
    clock.s += 8
    for worker in workers:
        master.learn(worker.report())
        assert worker.report() == []

    seconds = master.seconds()

    assert [one.writes for one in seconds] == [2, 2, 2, 2]
    assert [one.accepted for one in seconds] == [2, 4, 6, 8]
    assert [one.projected for one in seconds] == [0, 1, 3, 5]
    assert [one.write.p50_ms for one in seconds if one.write] == [10, 11, 12, 13]
    clock.s += 4
    assert [(one.writes, one.accepted) for one in master.seconds()][-1] == (2, 16)


def test_a_worker_whose_clock_is_far_off_is_counted_all_the_same(clock: Clock) -> None:
    master, worker = Live(clock, is_told=True), Live(clock)
    worker.take(at(0.1))
    clock.s += 1
    [reported] = worker.report()
    clock.s += 9

    master.learn([reported | {"at_s": 7}, reported | {"at_s": 10**9}])
    clock.s += 9

    assert [one.writes for one in master.seconds() if one.writes] == [1, 1]
    assert master.seconds()[-1].accepted == 2


def test_a_run_that_has_ended_stays_as_it_was(live: Live, clock: Clock) -> None:
    live.take(at(0.1))
    clock.s += 1
    live.end()
    clock.s += 100

    assert len(live.seconds()) == 1
    assert live_page.page_of(live).ending.startswith("It has ended")


@pytest.fixture
def asked(live: Live) -> FlaskClient:
    """Asks an app as Locust's is, while a run goes on."""
    app = Flask("page")
    app.add_url_rule("/", "index", lambda: "<body>Locust</body>")
    app.add_url_rule("/stats/requests", "requests", lambda: jsonify({"state": "running"}))
    web_ui: Any = SimpleNamespace(
        app=app, template_args={}, auth_required_if_enabled=lambda view: view
    )
    live_page.add(web_ui, lambda: live)
    assert web_ui.template_args["extended_tabs"] == [{"title": "Tide", "key": "tide"}]
    return app.test_client()


def test_the_table_of_the_tab_comes_with_locusts_own_figures(
    asked: FlaskClient, live: Live, clock: Clock
) -> None:
    live.take(at(0.1, took_ms=20))
    clock.s += 1

    said = asked.get("/stats/requests").json

    assert said is not None
    assert said["state"] == "running"
    [table] = said["extended_stats"]
    assert table["key"] == "tide"
    assert {"measure": "write latency", "now": "20 ms, p99 20 ms"} in table["data"]
    assert {"measure": "writes", "now": "1.0/s"} in table["data"]


def test_locusts_page_leads_to_the_live_one(asked: FlaskClient) -> None:
    page = asked.get("/").text

    assert page.startswith("<body>Locust<a href")
    assert 'href="/tide"' in page


def test_readings_fit_the_page_that_asks_for_them(
    asked: FlaskClient, live: Live, clock: Clock
) -> None:
    live.take(at(0.1, took_ms=20))
    live.waits(waiting(0, 0))
    clock.s += 1

    page, said = asked.get("/tide").text, asked.get("/tide/readings").json

    assert said is not None
    assert said["charts"]["positions"] == [[0, 1, 1]]
    assert said["charts"]["latency"] == [[0, 20, 20, None, None]]
    assert said["charts"]["backlog"] == [[0, 0, 0]]
    assert page.count("<li><span") == len(said["tiles"])
    assert all(f'<figure class="chart" id="{name}"' in page for name in said["charts"])
    assert 'data-readings="/tide/readings"' in page
    assert "connect-src &#39;self&#39;" in page
