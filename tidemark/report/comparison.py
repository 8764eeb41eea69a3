"""Two runs side by side, for people, for pages, and for programs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tidemark.errors import ExitCode, NotStartedError
from tidemark.history.folder import RunFolder
from tidemark.history.places import VERDICT
from tidemark.host.state import read_json
from tidemark.invariants.judge import Verdict
from tidemark.invariants.views import UnreadableError, connect, reading
from tidemark.measures import noise
from tidemark.measures.noise import Interval, intervals_of
from tidemark.percentiles import brief
from tidemark.report.summary import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from tidemark.measures.comparison import Difference

HEADINGS = ("measure", "before", "after", "change", "noise", "")
_ABOUT = ("target", "template_digest")


@dataclass(frozen=True)
class Side:
    """A run that is compared.

    Attributes:
        run: Its id.
        verdict: What the judge said of it last; unknown if he was not asked.
        about: What it was, as far as that is known.
        measures: Its measures with their intervals.
    """

    run: str
    verdict: Verdict
    about: Mapping[str, str]
    measures: Mapping[str, Interval]


@dataclass(frozen=True)
class Comparison:
    """Two runs, compared.

    Attributes:
        before: The first.
        after: The second.
        differences: Each measure that both have.
    """

    before: Side
    after: Side
    differences: Sequence[Difference]

    @property
    def exit_code(self) -> ExitCode:
        """What was violated comes first, then what is unknown, then what became worse."""
        verdicts = {self.before.verdict, self.after.verdict}
        if Verdict.VIOLATED in verdicts:
            return ExitCode.VIOLATED
        if verdicts != {Verdict.HOLDS} or not self.differences:
            return ExitCode.UNKNOWN
        if any(one.is_regression for one in self.differences):
            return ExitCode.SLO_MISSED
        return ExitCode.OK

    @property
    def conclusion(self) -> str:
        """What it comes to, in a sentence."""
        for side in (self.before, self.after):
            if side.verdict != Verdict.HOLDS:
                return f"The verdict on {side.run} is {side.verdict}."
        if not self.differences:
            return "The two runs have no measure in common."
        worse = [one.name for one in self.differences if one.is_regression]
        if worse:
            return f"Worse beyond noise and threshold: {', '.join(worse)}."
        return "Nothing is worse beyond noise and threshold."

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield a row under `HEADINGS` for each measure."""
        for one in self.differences:
            yield (
                one.name,
                value_of(one, one.before.value),
                value_of(one, one.after.value),
                _change(one),
                "beyond" if one.is_beyond_noise else "within",
                "regression" if one.is_regression else "",
            )

    def notes(self) -> Iterator[str]:
        """Yield what else differs, that would explain a difference."""
        for name in _ABOUT:
            before, after = (side.about.get(name) for side in (self.before, self.after))
            if before and after and before != after:
                yield f"{name.replace('_', ' ')}: {before} before, {after} after"

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "before": {"run": self.before.run, "verdict": self.before.verdict},
            "after": {"run": self.after.run, "verdict": self.after.verdict},
            "measures": {
                one.name: {
                    "before": asdict(one.before),
                    "after": asdict(one.after),
                    "change": one.change if math.isfinite(one.change) else None,
                    "is_beyond_noise": one.is_beyond_noise,
                    "is_regression": one.is_regression,
                }
                for one in self.differences
            },
            "notes": list(self.notes()),
            "conclusion": self.conclusion,
            "exit_code": int(self.exit_code),
        }

    def as_markdown(self) -> str:
        """Return it as Markdown, for a pull request or the page of a job."""
        rows = ([plain(cell) for cell in row] for row in self.rows())
        table = [HEADINGS, ("---", *["---:"] * 3, "---", "---"), *rows]
        named = (plain(f"{side.run} ({side.verdict})") for side in (self.before, self.after))
        return "\n".join(
            [
                f"**{plain(self.conclusion)}**\n",
                "Before: {}. After: {}.\n".format(*named),
                *(f"| {' | '.join(row)} |" for row in table),
                "",
                *(f"- {plain(note)}" for note in self.notes()),
                "",
            ]
        )


def side_of_run(path: Path, refusals: Collection[str]) -> Side:
    """Read a run from its folder, and measure it.

    Args:
        path: The folder.
        refusals: The problems by which the system refuses as it should.

    Raises:
        RunFolderError: There is no run there.
    """
    folder = RunFolder.open(path)
    measures: dict[str, Interval] = {}
    if not folder.gaps.keys() & set(noise.NEEDS):
        with connect(folder) as database:
            try:
                with reading():
                    measures = intervals_of(database, refusals)
            except UnreadableError:  # nothing is known then
                measures = {}
    judged = read_json(path / VERDICT) or {}
    return Side(
        folder.manifest["run"],
        _verdict(judged.get("verdict")),
        {name: str(folder.manifest[name]) for name in _ABOUT if name in folder.manifest},
        measures,
    )


def side_of_document(path: Path) -> Side:
    """Read a run from a `verdict.json` that was kept.

    Raises:
        NotStartedError: The file is none, or of a run that has no measures.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        measures = {
            str(name): Interval(*(_finite(one[part]) for part in ("value", "low", "high")))
            for name, one in document["figures"]["intervals"].items()
        }
        return Side(
            str(document["run"]),
            _verdict(document["verdict"]),
            {name: str(document[name]) for name in _ABOUT if name in document},
            measures,
        )
    except OSError as error:
        raise NotStartedError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotStartedError(
            f"{path} is no verdict.json of a load run with its figures: name one that "
            "`tidemark load` wrote, or a run."
        ) from error


def _verdict(said: object) -> Verdict:
    """What was written down; what is none of the verdicts says nothing."""
    return next((one for one in Verdict if one.value == said), Verdict.UNKNOWN)


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return value


def value_of(one: Difference, value: float) -> str:
    """A value of a measure as people read it; shares in percent."""
    if one.is_share:
        return f"{value:.2%}"
    return brief(value)


def _change(one: Difference) -> str:
    if one.is_share:
        return f"{one.change * 100:+.2f} pp"
    return f"{one.change:+.1%}" if math.isfinite(one.change) else "from 0"
