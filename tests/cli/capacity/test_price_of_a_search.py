"""On AWS a search costs what its load runs cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.capacity.searched import ran
from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from tests.cli.capacity.searched import Target


def test_on_aws_a_search_asks_once_what_its_load_runs_may_cost_together(on_aws: Target) -> None:
    code, said = ran("--profile", "write", "--start", "2", "--max-steps", "2")
    assert code is ExitCode.NOT_STARTED
    assert "beyond $1.00 (--max-cost)" in said
    assert "say --yes" in said
    assert not on_aws.warmed

    ran("--profile", "write", "--start", "2", "--max-steps", "2", "--yes")
    assert len(on_aws.tried) == 2
    assert "--yes" in on_aws.arguments


def test_on_aws_a_search_ends_before_it_costs_too_much_and_goes_on_for_more(
    on_aws: Target,
) -> None:
    code, said = ran("--profile", "write", "--yes", "--max-cost", "0.05", "--seed", "s")
    assert code is ExitCode.UNKNOWN
    assert "the next would exceed --max-cost 0.05: `tidemark capacity --resume`" in said
    before = list(on_aws.tried)
    assert len(before) in range(1, 7)
    code, said = ran("--resume", "--yes", "--max-cost", "0.05")
    assert (code, on_aws.tried) == (ExitCode.UNKNOWN, before)

    code, said = ran("--resume", "--yes", "--max-cost", "5")
    assert code is ExitCode.OK
    assert on_aws.tried[: len(before)] == before
    assert "--max-cost" not in said.splitlines()[-1]
