"""What goes wrong below the harness, in the harness's own sentences."""

from __future__ import annotations

import errno
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.errors import TidemarkError
from tidemark.host.state import STATE_DIR_VARIABLE, state_dir

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
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
    elif isinstance(error, OSError) and _is_of_the_state_folder(error):
        said = TidemarkError(
            f"The state folder {state_dir()} cannot be written ({error.strerror}): make it "
            f"writable, or name another one in {STATE_DIR_VARIABLE}."
        )
    else:
        return None
    for note in getattr(error, "__notes__", ()):
        said.add_note(note)
    return said


def _is_of_the_state_folder(error: OSError) -> bool:
    """Whether the folder refuses to be written or to be made; any other file in it is a bug's."""
    if not isinstance(error.filename, str):
        return False
    at, state = Path(error.filename), state_dir()
    if error.errno in _REFUSED:
        return at.is_relative_to(state) or state.is_relative_to(at)
    return state.is_relative_to(at) and not state.is_dir()


def lines(error: TidemarkError) -> list[str]:
    """All that there is to say of an error: its sentence, its notes, and a disk that is full."""
    said = [str(error), *getattr(error, "__notes__", ())]
    is_full = any(word in str(error) for word in _SAID_OF_A_FULL_DISK)
    if is_full and "make room" not in str(error):
        said.append(str(_DISK_IS_FULL))
    return [line for line in said if line]
