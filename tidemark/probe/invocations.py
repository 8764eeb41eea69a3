"""The function that rows invoke: its code, and what it logged of its invocations."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.aws.logs import document_in
from tidemark.probe import function_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HANDLER = "function_code.handle"
_BEGINS = '{"probe"'
_BEGINNING = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a function, as it logged it.

    Attributes:
        at_ms: When it began, UTC milliseconds.
        request_id: Lambda's id for it.
        bodies: The bodies of the messages that it was invoked with.
    """

    at_ms: int
    request_id: str
    bodies: Sequence[str]


def code_zip() -> bytes:
    """The function's code as a zip, the same each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("function_code.py", date_time=_BEGINNING)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, Path(function_code.__file__).read_text(encoding="utf-8"))
    return buffer.getvalue()


def invocations_in(lines: Iterable[str]) -> list[Invocation]:
    """The invocations that some log lines tell of, in the order of their time."""
    # A line that is cut off now is whole at the next look.
    documents = (document_in(line[line.find(_BEGINS) :]) for line in lines if _BEGINS in line)
    seen = (document["probe"] for document in documents if document)
    found = [Invocation(one["at_ms"], one["request_id"], one["bodies"]) for one in seen]
    return sorted(found, key=lambda one: one.at_ms)
