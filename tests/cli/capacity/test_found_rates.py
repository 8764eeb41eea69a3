"""What a search finds, and why the next rate failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.capacity.searched import ran
from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from tests.cli.capacity.searched import Target


def test_it_finds_writes_and_reads_and_says_so_in_a_sentence(target: Target) -> None:
    code, said = ran()
    assert code is ExitCode.OK
    headline = said.splitlines()[-1]
    assert headline.startswith(
        "93.5 writes/s and 222 reads/s with write p99 <= 500 ms, read p99 <= 500 ms, every claimed "
        "invariant holding: on embedded, "
    )
    assert headline.endswith("tidemark 0.1.0, template 01234567")
    assert (
        "write: 102 calls/s failed (run run5): write_p99_ms is 4000 ms and may be 500 ms." in said
    )
    assert target.warmed == [("write", 72), ("read", 144)]
    assert target.tried.count(("write", 93.5)) == 2


def test_a_single_hot_key_is_named_as_the_reason(target: Target) -> None:
    code, said = ran("--profile", "hot_account")
    assert code is ExitCode.OK
    assert target.tried
    assert "limit: hot key" in said
    assert (
        "a single hot key is the limit: 90% of the late events are of the account a1, which has "
        "50% of the calls; write_p99_ms is 4000 ms and may be 500 ms." in said
    )


def test_the_generators_own_limit_is_not_reported_as_the_targets(target: Target) -> None:
    target.is_quick = True
    code, said = ran("--profile", "write")
    assert code is ExitCode.OK
    assert "limit: generator" in said
    assert "the load generator was the limit, not the target: write_p99_ms is" in said
    assert said.splitlines()[-1].startswith("at least 93.5 writes/s with ")


def test_as_json_it_prints_one_object_with_each_step(target: Target) -> None:
    code, said = ran("--json", "--profile", "write")
    document = json.loads(said[said.index("{") :])
    assert code is ExitCode.OK
    assert document["found"]["write"]["rate"] == document["found"]["write"]["writes_per_s"] == 93.5
    assert [one["rate"] for one in document["tried"]] == [rate for _, rate in target.tried]
    assert document["curve"][0][0] == "profile"


def test_a_violated_invariant_ends_it_with_1_and_the_search_with_less(target: Target) -> None:
    target.others = {1: ExitCode.VIOLATED}
    code, said = ran("--profile", "write")
    assert code is ExitCode.VIOLATED
    assert "failed (run run2): an invariant is violated." in said
    assert "36" not in said.splitlines()[-1].split(" writes/s")[0]


def test_a_target_that_takes_nothing_misses_its_slos(target: Target) -> None:
    target.takes["write"] = 0
    code, said = ran("--profile", "write")
    assert code is ExitCode.SLO_MISSED
    assert said.splitlines()[-1].startswith("nothing of write with ")


def test_the_lowest_rate_that_fails_when_repeated_is_none_that_is_sustained(target: Target) -> None:
    target.takes["write"] = 0.6
    target.others = {2: ExitCode.SLO_MISSED}
    code, said = ran("--profile", "write", "--start", "0.5", "--resolution", "2")
    assert target.tried == [("write", 0.5), ("write", 1), ("write", 0.5)]
    assert said.splitlines()[-1].startswith("nothing of write with ")
    assert code is ExitCode.SLO_MISSED


def test_a_target_that_answers_and_took_nothing_has_failed_at_its_rate(target: Target) -> None:
    target.others = {1: ExitCode.FAILED}
    _, said = ran("--profile", "write")
    assert "write: 36 calls/s failed" in said


def test_a_limit_of_steps_leaves_it_incomplete(target: Target) -> None:
    code, said = ran("--profile", "write", "--max-steps", "2")
    assert code is ExitCode.UNKNOWN
    assert "(--max-steps)" in said
    assert "write: 36 calls/s was sustained, and no more was tried." in said
    assert len(target.tried) == 2
