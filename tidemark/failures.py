"""What goes wrong below the harness, in the harness's own sentences."""

from __future__ import annotations

import errno

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.errors import TidemarkError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
# What children and targets say of it.
_SAID_OF_A_FULL_DISK = ("No space left on device", "no space left on device", "ENOSPC")
_DISK_IS_FULL = TidemarkError(
    "The disk is full: make room, for example with `make clean`, and run it again."
)


def known(error: BaseException) -> TidemarkError | None:
    """The error as the harness says it; ``None`` for one that nobody foresaw: a bug."""
    if isinstance(error, TidemarkError):
        return error
    if isinstance(error, BotoCoreError | ClientError):
        said = TidemarkError(f"The target failed: {error}")
    elif isinstance(error, OSError) and error.errno in _NO_ROOM:
        said = TidemarkError(str(_DISK_IS_FULL))
    else:
        return None
    for note in getattr(error, "__notes__", ()):
        said.add_note(note)
    return said


def lines(error: TidemarkError) -> list[str]:
    """All that there is to say of an error: its sentence, its notes, and a disk that is full."""
    said = [str(error), *getattr(error, "__notes__", ())]
    if any(word in str(error) for word in _SAID_OF_A_FULL_DISK):
        said.append(str(_DISK_IS_FULL))
    return [line for line in said if line]
