"""A search for capacity on an embedded target, from its first step to its headline."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

from tidemark.errors import ExitCode
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.program import Program

WITHIN_S = 120
ENDS_WITHIN_S = 15


def test_a_search_is_interrupted_and_goes_on_to_its_headline(up: Program) -> None:
    steps = ("--start", "2", "--step", "2", "--max-steps", "2", "--processes", "2")
    with up.start("capacity", "--profile", "write", *steps) as process:
        log = eventually(
            lambda: next((one for one in up.state.glob("capacity/*.json") if _tried(one)), None),
            within_s=WITHIN_S,
            what="the first step to be written down",
        )
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=ENDS_WITHIN_S)
    assert process.returncode == ExitCode.INTERRUPTED, said
    assert "Interrupted after 1 steps; `tidemark capacity --resume` goes on." in said
    first = _tried(log)

    ended = up("capacity", "--resume", "--json")

    # Two steps are never the end of a search.
    assert ended.exit_code == ExitCode.UNKNOWN, ended.stderr
    found = json.loads(ended.stdout)
    assert found["tried"][:1] == first
    assert [one["rate"] for one in found["tried"]] == [2.0, 4.0 if first[0]["limit"] is None else 1]
    assert "every claimed invariant holding: on embedded, " in found["headline"]
    assert all((up.state / "runs" / one["run"]).is_dir() for one in found["tried"])


def _tried(log: Path) -> Any:
    return json.loads(log.read_text())["tried"]
