"""Targets whose limit is known, and the verb that searches for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from tidemark.cli import program
from tidemark.cli.load_step import Ended
from tidemark.errors import EndedError, ExitCode, InterruptedByUserError, TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.measures.contention import HotKey

if TYPE_CHECKING:
    from collections.abc import Sequence

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="One",
    api_url="http://127.0.0.1:1/prod",
    template_digest="0123456789ab",
    outputs={},
)
SHARES = {"write": 0.3, "read": 0.6, "hot_account": 0.3}
HOT = HotKey("late events", "account", "a1", 0.9, 0.5)


@dataclass(frozen=True)
class Seen(Ended):
    """A run without a folder.

    Attributes:
        hot: The key that was, if one was.
    """

    hot: HotKey | None = None

    def hot_key(self, _: object) -> HotKey | None:
        """Return it."""
        return self.hot


@dataclass
class Target:
    """A target that takes so many calls a second, of each profile; and who loads it.

    Attributes:
        takes: By profile.
        others: How a run ends otherwise, by how many were tried before.
        tried: Profile and rate of every run that was judged.
        warmed: Those of every other.
        interrupted_at: After how many runs Ctrl-C comes.
        arguments: What the newest run was told.
        is_quick: Whether it takes more than is sent.
    """

    takes: dict[str, float]
    others: dict[int, ExitCode] = field(default_factory=dict)
    tried: list[tuple[str, float]] = field(default_factory=list)
    warmed: list[tuple[str, float]] = field(default_factory=list)
    interrupted_at: int | None = None
    arguments: Sequence[str] = ()
    is_quick: bool = False

    def load(self, _: Deployment, arguments: Sequence[str]) -> Ended:
        """End as the target would."""
        self.arguments = arguments
        profile = arguments[0]
        rate = round(float(arguments[arguments.index("--rate") + 1]) * SHARES[profile], 3)
        if "off" in arguments:
            self.warmed.append((profile, rate))
        elif len(self.tried) == self.interrupted_at:
            raise InterruptedByUserError("Interrupted.")
        else:
            self.tried.append((profile, rate))
        code = self.others.get(len(self.tried) - 1, ExitCode.OK)
        side = "read" if profile == "read" else "write"
        p99_ms = 40.0 if rate <= self.takes[profile] else 4_000.0
        measures = {f"{side}s_per_s": rate, f"{side}_p50_ms": 20.0, f"{side}_p99_ms": p99_ms}
        none = {"ok": 0, "refused": 0, "errors": 0, "replayed": 0}
        return Seen(
            f"run{len(self.tried)}",
            code,
            code.meaning if code else "",
            {
                "measures": measures,
                "writes": none,
                "reads": none,
                "refusals": {},
                "generator": {"was_limit": self.is_quick, "was_starved": False},
            },
            hot=HOT if profile == "hot_account" else None,
        )


def ran(*arguments: str) -> tuple[ExitCode, str]:
    """Run the verb: its exit code, and what it said."""
    result = CliRunner().invoke(program.app, ["capacity", *arguments])
    if isinstance(result.exception, EndedError):
        return result.exception.exit_code, result.output
    if isinstance(result.exception, TidemarkError):
        return result.exception.exit_code, f"{result.output}{result.exception}"
    if isinstance(result.exception, Exception):
        raise result.exception
    return ExitCode(result.exit_code), result.output
