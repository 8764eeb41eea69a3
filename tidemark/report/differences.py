"""What a target does not do like AWS, as far as a probe of it is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.errors import NotStartedError
from tidemark.host.state import find_checkout
from tidemark.probe.result import Result
from tidemark.report.page import Note, Table

if TYPE_CHECKING:
    from tidemark.history.folder import RunFolder


def differences(folder: RunFolder) -> list[Note | Table]:
    """What the run's target cannot tell, by the probe that is kept of it in this checkout.

    Args:
        folder: The run.
    """
    target = folder.manifest.get("target")
    if target is None:
        return []
    if target == "aws":
        return [Note("It is AWS itself.")]
    how = f"`tidemark probe --target {target}` asks it what it does not do like AWS."
    result = _kept(str(target))
    if result is None:
        return [Note(f"No probe of {target} is at hand: {how}")]
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    rows = [
        (one.topic, one.aws, one.comparison_in_words, one.observed)
        for one in result.row_results
        if one.is_missing
    ]
    return [
        Note(f"As probed on {result.date} with {versions}; {how}"),
        Table(
            ("", "AWS", "the target", "what was seen"),
            rows,
            f"{len(rows)} of {len(result.row_results)} answers are not those of AWS",
            is_open=False,
        ),
    ]


def _kept(target: str) -> Result | None:
    checkout = find_checkout()
    if checkout is None or not target.isalnum():
        return None
    try:
        return Result.load(checkout / f"docs/targets/{target}.json")
    except NotStartedError:
        return None
