"""The undo journal: written before something is begun, and read by whoever has to undo it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from tidemark.errors import TidemarkError
from tidemark.host.locking import locked
from tidemark.host.undo import Begun, Journal, undoer

UNDONE: list[str] = []


@undoer
def note(name: str) -> str:
    """Undo nothing, and say so."""
    UNDONE.append(name)
    return f"{name} is undone."


@undoer
def remove(path: str) -> None:
    """Remove a file."""
    Path(path).unlink(missing_ok=True)


@undoer
def fail(name: str) -> NoReturn:
    """Undo nothing, for a reason."""
    raise TidemarkError(f"{name} does not answer.")


@undoer
def trip(name: str) -> NoReturn:
    """Undo nothing, by mistake."""
    raise KeyError(name)


@pytest.fixture(autouse=True)
def _nothing_undone_yet() -> None:
    UNDONE.clear()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def names(entries: list[Begun]) -> list[str]:
    return [one.what for one in entries]


def test_it_is_written_down_in_the_block_and_undone_after_it(journal: Journal) -> None:
    with journal.begun("a thing", partial(note, name="it")):
        assert names(journal.entries()) == ["a thing"]
        assert UNDONE == []

    assert UNDONE == ["it"]
    assert journal.entries() == []


@pytest.mark.parametrize("error", [TidemarkError("no"), KeyboardInterrupt()])
def test_it_is_undone_when_the_block_fails_or_is_interrupted(
    journal: Journal, error: BaseException
) -> None:
    with pytest.raises(type(error)), journal.begun("a thing", partial(note, name="it")):
        raise error

    assert UNDONE == ["it"]
    assert journal.entries() == []


def test_what_came_last_is_undone_first(journal: Journal) -> None:
    for number in range(3):
        journal.begin(f"thing {number}", partial(note, name=str(number)))

    assert journal.undo().done == ["2 is undone.", "1 is undone.", "0 is undone."]


def test_the_same_thing_begun_twice_is_undone_once(journal: Journal) -> None:
    for _ in range(2):
        journal.begin("a thing", partial(note, name="it"))

    journal.undo()

    assert UNDONE == ["it"]


def test_what_cannot_be_undone_stays_written_down_and_keeps_no_other_from_it(
    journal: Journal, tmp_path: Path
) -> None:
    journal.begin("the first", partial(note, name="it"))
    journal.begin("the second", partial(fail, name="The target"))
    journal.begin("the third", partial(trip, name="x"), remedy="tidemark destroy")

    undone = journal.undo()

    down = f"TIDEMARK_STATE_DIR={tmp_path} tidemark down"
    assert undone.done == ["it is undone."]
    assert undone.left == [
        "the third is left (KeyError('x')); to remove it: tidemark destroy",
        f"the second is left (The target does not answer); to remove it: {down}",
    ]
    assert names(journal.entries()) == ["the third", "the second"]


def test_a_block_says_what_it_cannot_undo(journal: Journal) -> None:
    with (
        pytest.raises(TidemarkError, match=r"a thing is left \(It does not answer\)"),
        journal.begun("a thing", partial(fail, name="It")),
    ):
        pass

    with pytest.raises(ValueError, match="first") as failed:  # noqa: SIM117 -- what fails is inside
        with journal.begun("a thing", partial(fail, name="It")):
            raise ValueError("first")
    [left] = failed.value.__notes__
    assert left.startswith("a thing is left")


def test_what_is_kept_is_not_abandoned(journal: Journal) -> None:
    journal.begin("kept", partial(note, name="kept"))
    journal.keep()
    journal.begin("abandoned", partial(note, name="abandoned"))

    assert journal.heal().done == ["abandoned is undone."]
    assert names(journal.entries()) == ["kept"]
    assert journal.undo().done == ["kept is undone."]


def test_a_file_of_another_version_is_named(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "undo").mkdir()
    (tmp_path / "undo" / "a.json").write_text('{"pid": 1}')

    with pytest.raises(TidemarkError, match=r"a\.json is of another version of Tidemark: delete"):
        journal.entries()


def test_an_undoer_of_nobody_is_not_imported(tmp_path: Path, journal: Journal) -> None:
    begun = journal.begin("a thing", partial(note, name="it"))
    path = tmp_path / "undo" / begun.file_name
    path.write_text(path.read_text().replace(begun.undoer, "os:getcwd"))

    [left] = journal.undo().left

    assert "KeyError('os:getcwd')" in left


KILLED = """
import os, signal, sys
from functools import partial
from pathlib import Path
from tests.host.test_undo import remove
from tidemark.host.locking import locked
from tidemark.host.undo import Journal

state, thing = map(Path, sys.argv[1:])
with locked(state), Journal(state).begun("a file", partial(remove, path=str(thing))):
    thing.touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_undone_by_the_next(tmp_path: Path) -> None:
    thing = tmp_path / "thing"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path, thing],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert thing.exists()

    with locked(tmp_path):
        undone = Journal(tmp_path).heal()

    assert undone.left == []
    assert not thing.exists()
    assert Journal(tmp_path).entries() == []
