"""What is wrong with a run folder is said; nothing holds where evidence is missing."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.history.rows import rows
from tests.invariants.clean_runs import EXPORT, clean_run, closed
from tests.invariants.folders import write_rows, write_run
from tests.invariants.recorded import writer
from tidemark.api.session import Writer
from tidemark.errors import ExitCode
from tidemark.history.files import part_name
from tidemark.history.folder import RunFolder, RunFolderError
from tidemark.history.writing import RunWriter
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Judgement, Verdict, judge, verdict_of
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Damage = Callable[[Path], object]

W0, W1 = writer(0), writer(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder in which all holds."""
    return write_run(tmp_path_factory.mktemp("runs") / "run", clean_run(steps=10)).path


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    return shutil.copytree(whole, tmp_path / "run")


def judged(path: Path, *, needing: str = "") -> dict[str, Judgement]:
    """What the judge says, of all invariants or of those that need a table."""
    asked = [one for one in catalog().values() if not needing or needing in one.needs]
    return {one.invariant.id: one for one in judge(RunFolder.open(path), asked)}


def said(path: Path, table: str) -> str:
    """What is wrong with a table."""
    return "; ".join(RunFolder.open(path).gaps.get(table, ()))


def manifest(path: Path, **changes: object) -> None:
    about = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps(about | changes))


def changed(path: Path, table: str, who: str, where: str, **cells: object) -> None:
    """Change cells of the rows of a writer's file that have a value somewhere."""
    file = path / table / f"{who}.parquet"
    before = pq.read_table(file).to_pylist()
    write_rows(path, table, who, [row | cells if where in row.values() else row for row in before])


def cut(file: Path, part: float) -> None:
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * part)])


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("target", ["embedded"]),
        ("load", 5),
        ("load", {}),
        ("load", {"profile": "write", "refusals": 5, "slo": {}}),
        ("load", {"profile": "write", "refusals": [1], "slo": {}}),
        ("load", {"profile": "write", "refusals": [], "slo": 5}),
        ("load", {"profile": "write", "refusals": [], "slo": {"lag_p99_ms": "9"}}),
        ("left_out", ["dead_letters"]),
        ("left_out", {"no_table": "because"}),
        ("left_out", {"dead_letters": 1}),
    ],
)
def test_a_manifest_that_was_edited_is_said_to_be(run: Path, entry: str, value: object) -> None:
    manifest(run, **{entry: value})

    with pytest.raises(RunFolderError, match=f"run.json was edited: its {entry} is"):
        RunFolder.open(run)


def test_all_of_a_whole_folder_holds(whole: Path) -> None:
    assert RunFolder.open(whole).gaps == {}
    assert {one.verdict for one in judged(whole).values()} == {Verdict.HOLDS}


DAMAGES: list[tuple[str, Damage, str, str]] = [
    ("a missing file", lambda run: (run / f"ops/{W0}.parquet").unlink(), "ops",
     f"ops/{W0}.parquet is missing: "),
    ("a missing table", lambda run: shutil.rmtree(run / "healed"), "healed",
     f"healed/{EXPORT}.parquet is missing: 1 rows were written to it"),
    ("a truncated file", lambda run: cut(run / f"events/{EXPORT}.parquet", 0.5), "events",
     f"events/{EXPORT}.parquet is torn, or no Parquet file ("),
    ("an empty file", lambda run: cut(run / f"lines/{EXPORT}.parquet", 0), "lines",
     f"lines/{EXPORT}.parquet is torn, or no Parquet file ("),
    ("what was left out of it", lambda run: manifest(run, left_out={"dead_letters": "too many"}),
     "dead_letters", "too many"),
    ("something else under its name",
     lambda run: (run / f"heads/{EXPORT}.parquet").write_text("a,b\n1,2\n"), "heads",
     f"heads/{EXPORT}.parquet is torn, or no Parquet file ("),
    ("a folder under its name", lambda run: (run / "heads/x.parquet").mkdir(), "heads",
     "heads/x.parquet is torn, or no Parquet file ("),
    ("another table's file",
     lambda run: shutil.copy(run / f"lines/{EXPORT}.parquet", run / f"heads/{EXPORT}.parquet"),
     "heads", f"heads/{EXPORT}.parquet has other columns: state is missing"),
    ("a row less", lambda run: write_rows(run, "lines", EXPORT, rows(run, "lines")[1:]), "lines",
     f"lines/{EXPORT}.parquet has "),
    ("a count that was edited",
     lambda run: changed(run, "written", EXPORT, "lines", row_count=3), "lines",
     " rows, and 3 were written to it"),
    ("a count that is gone",
     lambda run: write_rows(run, "written", EXPORT, [
         row for row in rows(run, "written")
         if (row["writer"], row["table_name"]) != (EXPORT, "dead_letters")]),
     "dead_letters",
     f"written/{EXPORT}.parquet does not say how many rows dead_letters/{EXPORT}.parquet has"),
    ("a count that is there twice",
     lambda run: write_rows(run, "written", EXPORT, [
         *rows(run, "written"), rows(run, "written")[0]]),
     "ops", ".parquet counts a table twice"),
    ("a number of ops that was edited",
     lambda run: changed(run, "writers", EXPORT, W0, ops_written=1), "ops",
     "its writer says that it wrote 1"),
    ("a stranger's file",
     lambda run: shutil.copy(run / f"events/{EXPORT}.parquet", run / "events/nobody.parquet"),
     "events", "events/nobody.parquet is of no writer of this run"),
    ("a stranger's closing row",
     lambda run: write_rows(run, "writers", EXPORT, [
         *rows(run, "writers"), rows(run, "writers")[0] | {"writer": "nobody"}]),
     "ops", "the writer nobody is none of those in run.json"),
    ("a writer without a closing row",
     lambda run: write_rows(run, "writers", EXPORT, [
         row for row in rows(run, "writers") if row["writer"] != W1]),
     "account_reads", f"the writer {W1} left no closing row"),
    ("no closing rows at all", lambda run: shutil.rmtree(run / "writers"), "events",
     f"the writer {EXPORT} left no closing row"),
    ("no counts at all", lambda run: shutil.rmtree(run / "written"), "totals",
     f"written/{EXPORT}.parquet does not say how many rows totals/{EXPORT}.parquet has"),
    ("a run that was never closed",
     lambda run: manifest(run, writers=None), "events",
     "the run was never closed: run.json does not name its writers"),
    ("a writer that run.json has more",
     lambda run: manifest(run, writers=[EXPORT, W0, W1, "another"]), "events",
     "the writer another left no closing row"),
    ("an export that was killed",
     lambda run: changed(run, "writers", EXPORT, EXPORT, closed=False), "events",
     f"the writer {EXPORT} was killed while it wrote down the end"),
    ("a state that was edited",
     lambda run: changed(run, "accounts", EXPORT, f"{EXPORT[:22]}-a0", state="{}"), "accounts",
     "accounts was edited: 1 of 5 rows do not have the digest of what they say"),
    ("a line that was moved",
     lambda run: changed(run, "lines", EXPORT, f"{EXPORT[:22]}-shut", version=7), "lines",
     "lines was edited: 2 of "),
    ("an effect that was edited",
     lambda run: changed(run, "events", EXPORT, "e1", effect="{}"), "events",
     "events was edited: 1 of "),
    ("a digest that was edited",
     lambda run: changed(run, "heads", EXPORT, f"{EXPORT[:22]}-a0", digest=1), "heads",
     "heads was edited: 1 of 5 rows"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "table", "says"),
    [one[1:] for one in DAMAGES],
    ids=[one[0] for one in DAMAGES],
)
def test_what_is_wrong_is_said_and_nothing_that_needs_it_holds(
    run: Path, damage: Damage, table: str, says: str
) -> None:
    damage(run)

    assert says in said(run, table)
    for one in judged(run, needing=table).values():
        assert one.verdict is Verdict.UNKNOWN
        assert any(says in reason for reason in one.reasons)


@pytest.mark.parametrize("name", [f"ops/{W0}.parquet", f"events/{EXPORT}.parquet"])
def test_a_file_that_cannot_be_read_is_not_said_to_be_missing_as_well(run: Path, name: str) -> None:
    cut(run / name, 0.5)

    (one,) = RunFolder.open(run).gaps[name.split("/", maxsplit=1)[0]]
    assert one.startswith(f"{name} is torn")


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (lambda one: one.set_column(3, "digest", one["version"].cast("int32")),
         "digest is of type int32, not int64"),
        (lambda one: one.cast(pa.schema([each.with_nullable(True) for each in one.schema])),
         "aggregate is optional there"),
        (lambda one: one.append_column("extra", one["digest"]), "extra is none of them"),
        (lambda one: one.select(one.column_names[::-1]), "they are in another order"),
    ],
)  # fmt: skip
def test_of_other_columns_the_first_that_differs_is_named(
    run: Path, columns: Callable[[pa.Table], pa.Table], says: str
) -> None:
    file = run / f"heads/{EXPORT}.parquet"
    pq.write_table(columns(pq.read_table(file)), file)

    assert said(run, "heads") == f"heads/{EXPORT}.parquet has other columns: {says}"


@pytest.mark.parametrize("name", sorted(one.name for one in catalog().values()))
def test_every_invariant_has_a_table_that_can_be_missing(run: Path, name: str) -> None:
    (one,) = (each for each in catalog().values() if each.name == name)
    for table in one.needs:
        shutil.rmtree(run / table)

    assert judged(run, needing=one.needs[0])[one.id].verdict is Verdict.UNKNOWN


def test_a_folder_of_which_half_was_copied_proves_nothing(run: Path) -> None:
    for file in sorted(run.glob("*/*.parquet"))[::2]:
        file.unlink()

    verdicts = [one.verdict for one in judged(run).values()]

    assert Verdict.VIOLATED not in verdicts
    assert verdict_of(judged(run).values()) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "is not a run folder"),
        ('{"schema": 1, "run"', "is torn or no JSON"),
        ("\x00\x01", "is torn or no JSON"),
        ("[]", "is of schema None, and this version of Tidemark reads 1"),
        ('{"schema": 99, "run": "r"}', "is of schema 99, and this version of Tidemark reads 1"),
        ('{"schema": 1}', "does not say which run it is"),
    ],
)
def test_without_its_manifest_a_folder_is_no_run(
    tmp_path: Path, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)

    with pytest.raises(RunFolderError, match=says) as raised:
        RunFolder.open(tmp_path)

    assert "run.json" in str(raised.value)
    assert raised.value.exit_code is ExitCode.UNKNOWN


def test_a_run_that_is_being_written_says_so(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", Writer("run", "w1"), Unknown()):
        (tmp_path / "run/run.json").write_text('{"schema": 1, "run": "run"}')

        assert "the run is still being written" in said(tmp_path / "run", "ops")
        assert verdict_of(judged(tmp_path / "run").values()) is Verdict.UNKNOWN


def test_what_a_recorder_was_writing_when_it_was_killed_does_not_count(run: Path) -> None:
    (run / f"ops/.{part_name(W0, 7)}").write_bytes(b"PAR1 and no more")

    assert RunFolder.open(run).gaps == {}


def test_of_a_recorder_killed_while_it_merged_no_row_counts_twice(tmp_path: Path) -> None:
    tables = closed(clean_run(), killed={W0})
    folder = write_run(tmp_path, tables)
    merged = tmp_path / f"ops/{W0}.parquet"
    shutil.copy(merged, merged.with_name(part_name(W0, 0)))

    assert folder.files("ops") == [merged, tmp_path / f"ops/{W1}.parquet"]
    assert judged(tmp_path)["I0"].verdict is Verdict.HOLDS


def test_of_a_recorder_that_was_killed_the_parts_count(tmp_path: Path) -> None:
    tables = closed(clean_run(), killed={W0})
    folder = write_run(tmp_path, tables)
    merged = tmp_path / f"ops/{W0}.parquet"
    merged.rename(merged.with_name(part_name(W0, 3)))

    assert folder.gaps == {}
    verdicts = {one: each.verdict for one, each in judged(tmp_path).items()}
    assert verdicts["I10"] is Verdict.UNKNOWN
    assert Verdict.VIOLATED not in verdicts.values()


@pytest.mark.parametrize("table", ["deliveries", "events", "invocations"])
@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_a_file_that_is_torn_in_its_middle_makes_unknown_what_needs_it(
    run: Path, table: str, byte: bytes
) -> None:
    file = run / f"{table}/{EXPORT}.parquet"
    content = bytearray(file.read_bytes())
    content[4:400] = byte * 396
    file.write_bytes(content)

    for one in judged(run, needing=table).values():
        assert one.verdict is Verdict.UNKNOWN
        assert any(says in one.reasons[0] for says in ("cannot be read", "torn"))


def test_a_run_whose_claims_are_torn_is_held_to_all(run: Path) -> None:
    cut(run / f"claims/{EXPORT}.parquet", 0.3)
    shutil.rmtree(run / "planned_faults")
    write_rows(run, "planned_faults", EXPORT, [])

    assert judged(run)["I16"].verdict is Verdict.UNKNOWN
    assert all(one.is_claimed for one in judged(run).values())
