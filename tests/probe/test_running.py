"""Rows run side by side, each within its bound, and whatever happens nothing is left behind."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.probe.asking import bench, row, says_same
from tidemark.host.waiting import NotYetError, eventually
from tidemark.probe.cleanup import EndedRowError
from tidemark.probe.names import unique_name
from tidemark.probe.observation import Comparison, NotProbedError, NotSeenInTimeError, differs
from tidemark.probe.running import Runner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a hanging row waits for; set at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def test_findings_come_in_the_order_of_the_rows() -> None:
    rows = [row("quick", within_s=1), row("slow", within_s=9), row("middle", within_s=5)]

    run = Runner(bench).run(rows)

    assert [one.name for one in run.row_results] == ["quick", "slow", "middle"]
    assert run.is_complete


def test_rows_run_side_by_side() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def meets(_: Bench) -> Observation:
        meeting.wait()
        return says_same(_)

    run = Runner(bench).run([row(str(number), meets) for number in range(3)])

    assert [one.comparison for one in run.row_results] == [Comparison.SAME] * 3


def test_a_row_that_raises_says_so_in_one_sentence_and_the_others_go_on() -> None:
    def fails(_: Bench) -> NoReturn:
        raise RuntimeError("two\nlines")

    broken, well = Runner(bench).run([row("broken", fails), row("well")]).row_results

    assert (broken.comparison, broken.observed) == (Comparison.FAILED, "RuntimeError: two lines")
    assert well.comparison is Comparison.SAME


def test_a_refused_call_is_named_with_its_code() -> None:
    def fails(_: Bench) -> NoReturn:
        raise ClientError({"Error": {"Code": "Broken", "Message": "it is"}}, "CreateQueue")

    [found] = Runner(bench).run([row(probe=fails)]).row_results

    assert found.observed == "CreateQueue failed with Broken: it is"


def test_once_the_target_does_not_answer_nothing_more_is_asked() -> None:
    def is_lost(_: Bench) -> NoReturn:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    lost, unasked = (
        Runner(bench, at_once=1).run([row("lost", is_lost, within_s=9), row("unasked")]).row_results
    )

    assert (lost.comparison, lost.observed) == (Comparison.FAILED, "the target does not answer")
    assert (unasked.comparison, unasked.observed) == (
        Comparison.NOT_PROBED,
        "the target does not answer",
    )


def test_past_its_bound_a_row_says_what_was_seen_instead() -> None:
    def waits(its_bench: Bench) -> Observation:
        def probe() -> bool | None:
            raise NotYetError("one of three")

        its_bench.eventually(probe, what="all three")
        return says_same(its_bench)

    [found] = Runner(bench).run([row(probe=waits, within_s=0.05)]).row_results

    assert found.comparison_in_words == "not seen within 0.05 s"
    assert found.observed == "one of three"


def test_a_row_that_hangs_is_given_up(released: threading.Event) -> None:
    def hangs(its_bench: Bench) -> Observation:
        released.wait()
        return says_same(its_bench)

    [found] = Runner(bench, grace_s=0.05).run([row(probe=hangs, within_s=0.05)]).row_results

    assert found.comparison is Comparison.NOT_SEEN
    assert found.observed == "the target did not answer a call"


def test_a_call_that_is_never_answered_may_still_make_something(released: threading.Event) -> None:
    def hangs(its_bench: Bench) -> Observation:
        released.wait()
        return says_same(its_bench)

    rows = [
        row("makes", hangs, within_s=0.05),
        row("reads", hangs, within_s=0.05, makes=()),
    ]
    run = Runner(bench, grace_s=0.05).run(rows)

    assert run.left_behind == ["what a call of makes may still make: it was not answered"]


def test_a_row_that_is_not_probed_gives_its_reason() -> None:
    def declines(_: Bench) -> NoReturn:
        raise NotProbedError("no such thing here")

    [found] = Runner(bench).run([row(probe=declines)]).row_results

    assert (found.comparison, found.observed) == (Comparison.NOT_PROBED, "no such thing here")


def test_patience_lifts_the_bounds() -> None:
    bounds_s: list[float] = []

    def remembering(within_s: float) -> Bench:
        bounds_s.append(within_s)
        return bench(within_s)

    patient = row(within_s=5, patient_s=600)
    Runner(remembering).run([patient])
    [found] = Runner(remembering, is_patient=True).run([patient]).row_results

    assert bounds_s == [5, 600]
    assert found.within_s == 600


def test_names_that_differ_from_run_to_run_are_not_observed() -> None:
    def names(_: Bench) -> Observation:
        return differs(f"{unique_name()} is throttled")

    [found] = Runner(bench).run([row(probe=names)]).row_results

    assert found.observed == "NAME is throttled"


def _fails(_: Bench) -> NoReturn:
    raise RuntimeError("as asked")


def _is_not_seen(_: Bench) -> NoReturn:
    raise NotSeenInTimeError("nothing")


@pytest.mark.parametrize("ends", [says_same, _fails, _is_not_seen])
def test_what_a_row_made_is_removed_however_it_ends(ends: object) -> None:
    removed: list[str] = []

    def makes(its_bench: Bench) -> Observation:
        its_bench.leftovers.owe("queue", lambda: removed.append("queue"))
        assert callable(ends)
        observation: Observation = ends(its_bench)
        return observation

    run = Runner(bench).run([row(probe=makes)])

    assert removed == ["queue"]
    assert run.left_behind == []


def test_a_row_that_was_given_up_can_make_nothing_more(released: threading.Event) -> None:
    removed: list[str] = []
    refused: list[str] = []

    def makes_late(its_bench: Bench) -> Observation:
        its_bench.leftovers.owe("early", lambda: removed.append("early"))
        released.wait()
        try:
            its_bench.leftovers.owe("late", lambda: removed.append("late"))
        except EndedRowError as error:
            refused.append(str(error))
        return says_same(its_bench)

    Runner(bench, grace_s=0.05).run([row(probe=makes_late, within_s=0.05)])
    assert removed == ["early"]

    released.set()
    eventually(lambda: refused or None, within_s=10, what="the refusal")
    assert refused == ["late would be made after the row has ended"]
    assert removed == ["early"]


def test_ctrl_c_keeps_what_is_known_and_removes_what_was_made(released: threading.Event) -> None:
    removed: list[str] = []

    def is_interrupted(its_bench: Bench) -> Observation:
        its_bench.leftovers.owe("queue", lambda: removed.append("queue"))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        released.wait()
        return says_same(its_bench)

    run = Runner(bench, at_once=1, grace_s=0.1).run(
        [row("known", within_s=9), row("interrupted", is_interrupted, within_s=8), row("unasked")]
    )

    assert not run.is_complete
    assert [(one.comparison, one.observed) for one in run.row_results] == [
        (Comparison.SAME, "as documented"),
        (Comparison.NOT_PROBED, "interrupted"),
        (Comparison.NOT_PROBED, "interrupted"),
    ]
    assert removed == ["queue"]


def test_what_a_call_under_way_still_makes_is_removed() -> None:
    there: list[str] = []
    is_made = threading.Event()

    def makes_late(its_bench: Bench) -> Observation:
        its_bench.leftovers.owe("queue", there.clear)
        # The call that makes it answers only after the row was given up.
        eventually(lambda: its_bench.leftovers.is_closed or None, within_s=10, what="giving up")
        there.append("queue")
        is_made.set()
        return says_same(its_bench)

    run = Runner(bench, grace_s=0.5).run([row(probe=makes_late, within_s=0.05)])

    assert is_made.wait(10)
    assert run.row_results[0].comparison is Comparison.NOT_SEEN
    assert there == []


def test_a_row_that_was_given_up_waits_for_nothing_more() -> None:
    given_up: list[str] = []

    def waits(its_bench: Bench) -> Observation:
        its_bench.leftovers.close()
        try:
            its_bench.eventually(lambda: None, what="it")
        except EndedRowError as error:
            given_up.append(str(error))
        return says_same(its_bench)

    Runner(bench).run([row(probe=waits, within_s=60)])

    assert given_up == ["nobody waits for it any more"]


def test_what_cannot_be_removed_is_named() -> None:
    def stays() -> NoReturn:
        raise ClientError({"Error": {"Code": "Busy", "Message": "later"}}, "DeleteQueue")

    def makes(its_bench: Bench) -> Observation:
        its_bench.leftovers.owe("queue a", stays)
        return says_same(its_bench)

    assert Runner(bench).run([row(probe=makes)]).left_behind == ["queue a: Busy"]
