"""One of the processes that write a history is killed, as it comes, in the middle of it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.history.rows import rows
from tests.measures.ops import op
from tidemark.api.call import Kind
from tidemark.api.op import Outcome
from tidemark.api.session import Writer
from tidemark.history.folder import RunFolder
from tidemark.history.places import is_in_use
from tidemark.history.writing import RunWriter, describe_more, writers_of
from tidemark.host.waiting import eventually
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Verdict, judge
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from pathlib import Path

# Records without end, as fast as it can.
RECORDING = """
import itertools, sys
from pathlib import Path
from msgspec import structs
from tests.measures.ops import op
from tidemark.api.call import Kind
from tidemark.api.op import Outcome
from tidemark.api.session import Writer
from tidemark.history.writing import RunWriter
from tidemark.workloads.workload import Unknown

path = Path(sys.argv[1])
run = RunWriter(path, Writer(path.name, "w1"), Unknown())
one = op(Outcome.INFO, kind=Kind.QUERY, status=None)
for number in itertools.count(1):
    run.record(structs.replace(one, session="c1", sequence=number, start_ns=number, end_ns=number))
"""


def test_all_but_its_last_second_is_there_and_nothing_is_held_against_the_run(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run-1"
    with (
        RunWriter(path, Writer(path.name, "w2"), Unknown()) as other,
        subprocess.Popen([sys.executable, "-c", RECORDING, path]) as killed,
    ):
        eventually(lambda: list(path.glob("ops/run-1.w1*")) or None, within_s=60, what="rows of it")
        killed.kill()
        killed.wait(60)
        other.record(op(Outcome.INFO, kind=Kind.QUERY, status=None))
        other.close_for("run-1.w1")
        (path / "run.json").write_text('{"schema": 1, "run": "run-1"}')
    describe_more(path, writers=writers_of(path))

    folder = RunFolder.open(path)
    judged = {one.invariant.id: one for one in judge(folder, list(catalog().values()))}

    assert folder.gaps == {}
    assert not is_in_use(path)
    kept = [row["seq"] for row in rows(path, "ops") if row["writer"] == "run-1.w1"]
    assert kept == list(range(1, len(kept) + 1))
    assert Verdict.VIOLATED not in {one.verdict for one in judged.values()}
    assert judged["I0"].verdict is Verdict.HOLDS
