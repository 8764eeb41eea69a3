from __future__ import annotations

import errno
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from msgspec import structs

from tests.history.rows import rows
from tests.measures.ops import op
from tidemark.api.call import Kind
from tidemark.api.session import Writer
from tidemark.errors import ExitCode, NotStartedError
from tidemark.history.files import part_name
from tidemark.history.folder import RunFolder
from tidemark.history.native import Repeating, lock
from tidemark.history.places import folder_of, is_in_use
from tidemark.history.recorder import RecordingError
from tidemark.history.tables import TABLES
from tidemark.history.writing import Noted, RunWriter, describe_more, noted_in, writers_of
from tidemark.host.deployment import Deployment
from tidemark.host.failures import lines
from tidemark.host.waiting import eventually
from tidemark.trace.letters import Letter
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables
from tidemark.workloads.canonical import canonical, digest_of
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="Tidemark",
    api_url="http://127.0.0.1:1/prod",
    template_digest="d1",
    outputs={},
)
STATE = {"account_id": "a", "owner_id": "o", "balance": 5, "status": "open", "version": 2}
WITHIN_S = 30.0
BANK = BankHistory(BankTables(None, "commands", "queries"))  # type: ignore[arg-type]  # no table is asked


def run_of(path: Path, process: str = "w1") -> RunWriter:
    return RunWriter(path, Writer(path.name, process), BANK)


def test_a_run_does_not_say_how_its_address_is_entered(tmp_path: Path) -> None:
    with run_of(tmp_path / "run-1") as run:
        run.describe(replace(DEPLOYMENT, api_url="http://ada:secret@127.0.0.1:1/prod"))

    assert "secret" not in (tmp_path / "run-1" / "run.json").read_text()


def test_a_run_says_what_it_was_and_every_call_it_made(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "run-1"
    deposit = op(status=202, took_ms=3)
    deposit = structs.replace(deposit, call=replace(deposit.call, key="k", body={"amount": 5}))
    with run_of(path) as run:
        run.describe(DEPLOYMENT, kind="load", seed="7")
        run.record(deposit)
        run.record(
            structs.replace(op(kind=Kind.QUERY, operation="account"), state=STATE, version=2)
        )

    about = json.loads((path / "run.json").read_text())
    assert about["run"] == "run-1"
    assert (about["kind"], about["seed"], about["stack_name"]) == ("load", "7", "Tidemark")
    first, second = rows(path, "ops")
    assert (first["writer"], first["key"], first["principal"]) == ("run-1.w1", "k", "-")
    assert (first["kind"], first["outcome"], first["purpose"]) == ("command", "ok", "load")
    assert first["end_ns"] - first["start_ns"] == 3_000_000
    assert first["payload_hash"] == deposit.call.payload_hash
    assert (second["kind"], second["reads"], second["rows_read"]) == ("query", "account_reads", 1)
    (read,) = rows(path, "account_reads")
    assert read["state"] == canonical(STATE)
    assert read["digest"] == digest_of(canonical(STATE))


def test_a_call_of_a_system_that_nobody_described_is_written_down(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run-1", Writer("run-1", "w1"), Unknown()) as run:
        run.record(op(kind=Kind.QUERY, operation="parcel"))

    (only,) = rows(tmp_path / "run-1", "ops")
    assert (only["operation"], only["reads"], only["rows_read"]) == ("parcel", None, None)


def test_what_processes_note_is_the_runs_once_they_end_in_order(
    tmp_path: Path,
) -> None:
    letter = Letter("m1", 5, None, text="{}")
    path = tmp_path / "run-1"
    for process in ("gw0", "gw1"):
        with run_of(path, process) as run:
            run.plan("poison", 2)
            run.note_letter(letter)
    with run_of(path, "under-way") as run:
        run.plan("poison", 1)

        assert noted_in(path) == Noted({"poison": 4}, [letter, letter])


def test_processes_of_a_run_write_into_one_folder_and_the_first_says_what_it_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run-1"
    with run_of(path) as one, run_of(path, "w2") as other:
        one.describe(DEPLOYMENT, kind="load")
        other.describe(DEPLOYMENT, kind="something else")
        one.record(op())
        other.record(op())

    assert [row["writer"] for row in rows(path, "ops")] == ["run-1.w1", "run-1.w2"]
    assert json.loads((path / "run.json").read_text())["kind"] == "load"
    assert [(row["writer"], row["closed"]) for row in rows(path, "writers")] == [
        ("run-1.w1", True),
        ("run-1.w2", True),
    ]
    describe_more(path, writers=writers_of(path))
    assert RunFolder.open(path).gaps == {}


def test_a_process_that_left_no_closing_row_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "run-1"
    killed = run_of(path, "w1")
    killed.record(op())
    with run_of(path, "w2") as other:
        other.describe(DEPLOYMENT)
        other.record(op())
    describe_more(path, writers=writers_of(path))

    gaps = RunFolder.open(path).gaps

    assert any("run-1.w1" in sentence for sentence in gaps["ops"])
    killed.close()


def test_rows_of_many_threads_are_all_there(tmp_path: Path) -> None:
    with run_of(tmp_path / "run-1") as run, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: run.record(op()), range(2_000)))

    assert len(rows(tmp_path / "run-1", "ops")) == 2_000


def test_calls_become_columns_as_they_come_and_leave_little_for_a_second_to_end_with(
    tmp_path: Path,
) -> None:
    with run_of(tmp_path / "run-1") as run:
        run._recorder._looking.stop(30)
        for _ in range(1_000):
            run.record(op())

            assert len(run._recorder._waiting["ops"]) < 64

    assert len(rows(tmp_path / "run-1", "ops")) == 1_000


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "[Errno 28] Error writing bytes to file. Detail: ...")


@pytest.mark.parametrize("step", ["__init__", "write_table", "close"])
def test_on_a_full_disk_what_was_written_before_is_whole_and_the_rest_is_missed(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run-1"
    run = run_of(path)
    run.describe(DEPLOYMENT)
    run.record(op())
    run._recorder.flush()
    monkeypatch.setattr(f"tidemark.history.recorder.pq.ParquetWriter.{step}", full_disk)
    run.record(op())
    assert not run.has_failed
    with pytest.raises(RecordingError):
        run._recorder.flush()
    assert run.has_failed
    run.record(op())  # whoever calls is not stopped in the middle of it

    with pytest.raises(RecordingError, match=r"\(No space left on device\), and what came") as full:
        run.close()

    assert full.value.exit_code is ExitCode.UNKNOWN
    assert lines(full.value) == [str(full.value)]  # it says itself to make room
    assert not is_in_use(path)
    assert len(rows(path, "ops")) == 1
    assert list(path.glob("*/.*")) == []
    describe_more(path, writers=writers_of(path))
    gaps = RunFolder.open(path).gaps
    assert gaps.keys() == TABLES.keys()
    assert gaps["ops"] == ["the writer run-1.w1 left no closing row"]


@pytest.mark.parametrize(
    ("calls", "every_s", "whole"), [(64 * 8, 3600.0, 0), (1, 0.0, 1)], ids=["much", "little"]
)
def test_what_is_much_is_written_before_its_second_is_over_and_what_is_little_is_whole_after_it(
    calls: int, every_s: float, whole: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidemark.history.recorder._EVERY_S", every_s)
    path = tmp_path / "run-1"
    with run_of(path) as run:
        for _ in range(calls):
            run.record(op())
        eventually(lambda: not run._recorder._batches["ops"], what="what is much to be written")
        eventually(lambda: len(rows(path, "ops")) == whole, what="what is little to be whole")
    assert len(rows(path, "ops")) == calls


def test_parts_that_could_not_be_merged_on_a_full_disk_are_as_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run-1"
    monkeypatch.setattr("tidemark.history.recorder._gathered", full_disk)

    with run_of(path) as run:
        run.describe(DEPLOYMENT)
        run.record(op())
        run._recorder.flush()
        run.record(op())

    describe_more(path, writers=writers_of(path))
    assert sorted(one.name for one in (path / "ops").iterdir()) == [
        part_name("run-1.w1", part) for part in range(2)
    ]
    assert len(rows(path, "ops")) == 2
    assert RunFolder.open(path).gaps == {}


def test_merged_parts_become_few_large_groups_of_rows_in_the_order_of_the_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidemark.history.recorder._GROUP", 4)
    path = tmp_path / "run-1"
    with run_of(path) as run:
        for number in range(6):
            run.record(structs.replace(op(), sequence=number))
            run._recorder.flush()

    merged = pq.ParquetFile(path / "ops" / "run-1.w1.parquet")
    groups = [merged.read_row_group(one, ["seq"]) for one in range(merged.num_row_groups)]
    assert [one["seq"].to_pylist() for one in groups] == [[0, 1, 2, 3], [4, 5]]


def test_a_run_is_in_use_while_anybody_has_it_open(tmp_path: Path) -> None:
    path = tmp_path / "run-1"
    assert not is_in_use(path)
    with run_of(path):
        with run_of(path, "w2"):
            assert is_in_use(path)
        assert is_in_use(path)
    assert not is_in_use(path)


def test_a_disk_that_lets_nobody_write_ends_the_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidemark.history.recorder._ENDS_WITHIN_S", 0.01)
    path = tmp_path / "run-1"
    run = run_of(path)
    with run._recorder._writing, pytest.raises(RecordingError, match="timed out"):
        run.close()

    assert not is_in_use(path)


def test_who_does_not_end_is_not_waited_for_for_ever() -> None:
    held, begun = lock(), lock()
    held.acquire()
    begun.acquire()

    def hang() -> float:
        begun.release()
        held.acquire()
        return 0.0

    thread = Repeating(hang)
    begun.acquire()
    with pytest.raises(TimeoutError):
        thread.stop(0.01)
    held.release()
    thread.stop(WITHIN_S)


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "a/b", "../../runs", 7, None])
def test_what_is_no_name_leads_to_no_folder(name: object, tmp_path: Path) -> None:
    assert folder_of(tmp_path, "20261127T101500-3fa2c1").parent == tmp_path
    with pytest.raises(NotStartedError, match="is no name for a run"):
        folder_of(tmp_path, name)
