"""Workers on one deployment: tests beside each other, and a fault alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from filelock import ReadWriteLock, Timeout

from integration.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[Turns]]:
    all_of_them = [Turns() for _ in range(3)]
    for one in all_of_them:
        one.share(str(tmp_path))
    yield all_of_them
    for one in all_of_them:
        one.close()


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[ReadWriteLock]:
    """The lock of a worker beside these."""
    lock = ReadWriteLock(tmp_path / "turns.db", is_singleton=False)
    yield lock
    lock.close()


def test_tests_run_beside_each_other(workers: list[Turns]) -> None:
    first, second, _ = workers
    with first.beside_others(), second.beside_others():
        pass


def test_no_fault_begins_while_a_test_of_another_runs(
    workers: list[Turns], stranger: ReadWriteLock
) -> None:
    with workers[0].beside_others(), pytest.raises(Timeout), stranger.write_lock(blocking=False):
        pass

    with stranger.write_lock(blocking=False):
        pass


def test_a_test_goes_on_beside_others_after_its_fault(
    workers: list[Turns], stranger: ReadWriteLock
) -> None:
    with workers[0].beside_others():
        with (
            workers[0].alone(),
            pytest.raises(Timeout),
            stranger.read_lock(blocking=False),
        ):
            pass

        with stranger.read_lock(blocking=False):
            pass
        with pytest.raises(Timeout), stranger.write_lock(blocking=False):
            pass


def test_faults_of_all_workers_at_once_come_one_after_the_other(workers: list[Turns]) -> None:
    at_work = threading.Lock()
    met: list[bool] = []
    all_begun = threading.Barrier(len(workers))

    def run(turns: Turns) -> None:
        with turns.beside_others():
            all_begun.wait()
            for _ in range(20):
                with turns.alone():
                    met.append(not at_work.acquire(blocking=False))
                    at_work.release()

    with ThreadPoolExecutor(len(workers)) as pool:
        for done in [pool.submit(run, turns) for turns in workers]:
            done.result()

    assert met == [False] * 60


def test_without_workers_every_turn_is_had_at_once() -> None:
    turns = Turns()
    with turns.beside_others(), turns.alone():
        pass
