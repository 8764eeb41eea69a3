"""What failed verbs and sessions left to look at, copied for strangers' eyes: no account ids.

The copy is in `build/failed`; what a workflow keeps of a failure is that, and nothing else.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.host.state import state_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

COPY = Path("build/failed")

_LEFT = ("failed/**/*", "pytest/**/*", "cdk/*.log")
# Twelve digits for themselves, also behind an escaped character of a URL; but no version of an
# account, which has as many in its key, and not the emulators' zeros.
_ACCOUNT = re.compile(
    rb"(?:(?<=%[0-9A-Fa-f]{2})|(?<![0-9]))(?<!event#)(?<!event%23)(?<!line#)(?<!line%23)"
    rb"(?!0{12})[0-9]{12}(?![0-9])"
)
# The ids of keys, users and roles; a key's has its account's in it.
_PRINCIPAL = re.compile(rb"\bA[A-Z]{2}A[A-Z0-9]{12,}\b")


@dataclass
class Redaction:
    """Puts the same stand-in for the same account, in all that it redacts.

    It may also be in the name of a file, so it has no character that artifacts do not take.
    """

    _accounts: dict[bytes, bytes] = field(default_factory=dict)

    def of(self, content: bytes) -> bytes:
        """Some content, without ids of accounts and principals."""
        return _PRINCIPAL.sub(b"[principal]", _ACCOUNT.sub(self._stand_in, content))

    def _stand_in(self, found: re.Match[bytes]) -> bytes:
        stand_in = f"[account {len(self._accounts) + 1}]".encode()
        return self._accounts.setdefault(found[0], stand_in)


def copy(state: Path, to: Path) -> list[Path]:
    """Copy what is left to look at in a state folder, redacted, in place of an earlier copy.

    Args:
        state: The state folder.
        to: The folder of the copy.

    Returns:
        What is left out, because it is no text, and may have ids in a form that nobody sees.
    """
    shutil.rmtree(to, ignore_errors=True)
    redaction, left_out = Redaction(), []
    for path in _files(state):
        content = path.read_bytes()
        if b"\0" in content:
            left_out.append(path)
            continue
        name = redaction.of(str(path.relative_to(state)).encode()).decode()
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes(redaction.of(content))
    return left_out


def _files(state: Path) -> Iterator[Path]:
    """Files, but none that a link leads to: it may be anywhere."""
    for pattern in _LEFT:
        for path in sorted(state.glob(pattern)):
            if path.is_file() and path.resolve().is_relative_to(state.resolve()):
                yield path


def main() -> None:
    """Copy what is in this checkout's state folder."""
    for path in copy(state_dir(), COPY):
        sys.stderr.write(f"{path} is no text and left out.\n")


if __name__ == "__main__":
    main()
