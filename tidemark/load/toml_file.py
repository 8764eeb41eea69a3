"""A TOML file whose mistakes are said with their line and the nearest name that is known."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tidemark.errors import NotStartedError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Table:
    """A table of a file.

    Attributes:
        path: The file.
        text: All of it.
        begins: The line of its header, from 1; 0 for the top of the file.
        entries: What it holds.
    """

    path: Path
    text: str
    begins: int
    entries: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Table:
        """Read a file.

        Raises:
            NotStartedError: If it is no TOML.
        """
        text = path.read_text(encoding="utf-8")
        try:
            return cls(path, text, 0, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise NotStartedError(f"{path}: {error}.") from None

    def only(self, known: Collection[str]) -> None:
        """See that all names are known ones.

        Raises:
            NotStartedError: Of the first that is not.
        """
        for name in self.entries:
            if name not in known:
                raise self.wrong(name, f"there is no {name}; {nearest(name, known)}")

    def number(self, name: str, default: float | None = None, *, most: float = 1e9) -> float:
        """Return a number from 0 to `most`.

        Raises:
            NotStartedError: If it is none, or is missing and has no default.
        """
        value = self.entries.get(name, default)
        if value is None:
            raise self.wrong(name, f"{name} is missing")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, f"{name} is a number, and not {value!r}")
        if not 0 <= value <= most:
            raise self.wrong(name, f"{name} is 0 to {most:g}, and not {value}")
        return float(value)

    def choice(self, name: str, known: Collection[str], default: str) -> str:
        """Return one of the known words.

        Raises:
            NotStartedError: If it is another.
        """
        value = self.entries.get(name, default)
        if value not in known:
            raise self.wrong(name, f"there is no {name} {value!r}; {nearest(str(value), known)}")
        return str(value)

    def tables(self, name: str) -> list[Table]:
        """Return the tables of this name, of which there may be none, one, or an array.

        Raises:
            NotStartedError: If it is something else.
        """
        value = self.entries.get(name, [])
        found = [value] if isinstance(value, dict) else value
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.wrong(name, f"{name} is a table, and not {value!r}")
        header = re.compile(rf"\s*\[+{re.escape(name)}\]+")
        lines = [at for at, line in enumerate(self.text.splitlines(), 1) if header.match(line)]
        begins = lines if len(lines) == len(found) else [self.begins] * len(found)
        return [
            Table(self.path, self.text, line, one) for line, one in zip(begins, found, strict=True)
        ]

    def wrong(self, name: str, why: str) -> NotStartedError:
        """Return the error of an entry, with its line."""
        entry = re.compile(rf"""\s*\[*["']?{re.escape(name)}["']?\s*[=\].]""")
        lines = enumerate(self.text.splitlines()[self.begins :], self.begins + 1)
        line = next((at for at, text in lines if entry.match(text)), max(self.begins, 1))
        return NotStartedError(f"{self.path}, line {line}: {why}.")


def nearest(name: str, known: Collection[str]) -> str:
    """Say which known name may be meant, or all that there are."""
    close = get_close_matches(name, known, n=1)
    return f"the nearest is {close[0]}" if close else f"there are {', '.join(sorted(known))}"
