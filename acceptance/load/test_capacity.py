"""A search for capacity on an embedded target, from its first step to its headline."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.load.one_at_a_time import one_at_a_time
from tidemark.errors import ExitCode
from tidemark.host.deployment import Deployment, path_of
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


@pytest.mark.timeout(300)
def test_a_single_account_that_is_the_limit_is_named(up: Program) -> None:
    record = path_of("embedded", "Tidemark", up.state)
    deployment = Deployment.load(record)
    steps = ("--start", "12", "--step", "8", "--max-steps", "1", "--slo", "write_p99_ms=2000")
    try:
        with one_at_a_time(deployment.api_url) as api_url:
            replace(deployment, api_url=api_url).save(up.state)
            with up.start("capacity", "--profile", "hot_account", *steps, "--json") as process:
                out, said = process.communicate(timeout=2 * WITHIN_S)
    finally:
        deployment.save(up.state)

    assert process.returncode == ExitCode.SLO_MISSED, said
    (tried,) = json.loads(out)["tried"]
    assert tried["limit"] == "hot key", tried
    assert re.search(
        r"a single hot key is the limit: \d+% of the commands that were busy or slow are of the "
        rf"account {tried['run']}\.\S+, which has \d+% of the calls; ",
        tried["why"],
    )
    assert tried["why"] in said


def _tried(log: Path) -> Any:
    return json.loads(log.read_text())["tried"]
