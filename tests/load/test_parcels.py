"""The files of a worker on another machine, on their way to the master."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loadtest import parcels
from loadtest.parcels import clear, pieces, take_in
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from pathlib import Path

WRITER = "run.w1"
MINE = {
    "ops/run.w1~000001.parquet": b"of a part",
    "writers/run.w1.parquet": b"",
    "processes/run.w1": b"12345678",
}
OF_OTHERS = {"ops/run.w10.parquet": b"another's", "notes/run.w1": b"no table", "run.json": b"{}"}


def files(path: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()
    }


def test_all_of_a_writer_arrives_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "_PIECE_BYTES", 4)
    there, here = tmp_path / "there", tmp_path / "here"
    for name, content in (MINE | OF_OTHERS).items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(content)
    here.mkdir()

    for piece in pieces(there, WRITER):
        take_in(here, WRITER, piece)

    assert files(here) == MINE


def test_of_two_writers_on_one_machine_each_takes_its_own_away(tmp_path: Path) -> None:
    run = tmp_path / "run"
    others = {"ops/run.w2.parquet": b"another's", "processes/run.w2": b""}
    for name, content in (MINE | others | {".open": b""}).items():
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(content)

    clear(run, WRITER)
    assert files(run) == others | {".open": b""}

    clear(run, "run.w2")
    assert not run.exists()


@pytest.mark.parametrize(
    "piece",
    [
        {"folder": "ops", "name": "run.w2.parquet"},
        {"folder": "ops", "name": "../../run.w1.parquet"},
        {"folder": "..", "name": "run.w1.parquet"},
        {"folder": ".", "name": "run.w1.parquet"},
        {"folder": "/var", "name": "run.w1.parquet"},
        {"folder": "ops", "name": "/etc/run.w1.parquet"},
    ],
)
def test_nothing_is_written_but_a_writers_own_files(tmp_path: Path, piece: dict[str, Any]) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(TidemarkError):
        take_in(run, WRITER, piece | {"bytes": b"1"})
    assert files(tmp_path) == {}
