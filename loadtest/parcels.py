"""The files of a worker on another machine, sent to the master's run folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from tidemark.errors import TidemarkError
from tidemark.history.files import writer_of
from tidemark.history.places import WRITERS
from tidemark.history.tables import TABLES
from tidemark.history.writing import writers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PARCEL = "tidemark-parcel"
"""The message that has a piece of a file."""

_PIECE_BYTES = 512 * 1024
_FOLDERS = frozenset({*TABLES, WRITERS})


def pieces(path: Path, writer: str) -> Iterator[dict[str, Any]]:
    """Yield all that a writer has written of a run, in pieces.

    Args:
        path: Its run folder.
        writer: Its full name.
    """
    for file in _files_of(path, writer):
        with file.open("rb") as whole:
            for _ in range(file.stat().st_size // _PIECE_BYTES + 1):
                piece = whole.read(_PIECE_BYTES)
                yield {"folder": file.parent.name, "name": file.name, "bytes": piece}


def clear(path: Path, writer: str) -> None:
    """Remove what a writer has written of a run, and the folder once no other writer is left.

    Args:
        path: Its run folder.
        writer: The full name of who has sent all of it.
    """
    for file in _files_of(path, writer):
        file.unlink()
    if not writers_of(path):
        shutil.rmtree(path)


def _files_of(path: Path, writer: str) -> list[Path]:
    return [
        file
        for file in sorted(path.glob(f"*/{writer}*"))
        if file.parent.name in _FOLDERS and writer_of(file) == writer
    ]


def take_in(path: Path, writer: str, piece: Mapping[str, Any]) -> None:
    """Write a piece down, after those of the same file before it.

    Args:
        path: The run folder.
        writer: The full name of who sends it: no other's files are written to.
        piece: As `pieces` yields it.

    Raises:
        TidemarkError: It is no piece of a file of this writer.
    """
    file = path / str(piece["folder"]) / str(piece["name"])
    if file.parent.name not in _FOLDERS or file.parents[1] != path or writer_of(file) != writer:
        raise TidemarkError(f"{writer} sent {file.name}, which is no file of its own.")
    file.parent.mkdir(exist_ok=True)
    with file.open("ab") as whole:
        whole.write(piece["bytes"])
