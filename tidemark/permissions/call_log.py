"""What the functions were seen to call, as a file that is committed beside the code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tidemark.errors import NotStartedError
from tidemark.host.state import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = Path("integration") / "recorded_calls.json"
HOW_TO_WRITE = "`.venv/bin/python -m integration.recording` writes it anew"


@dataclass(frozen=True, order=True, slots=True)
class Call:
    """A kind of call that a function makes.

    Attributes:
        function: Who makes it, as the stack's outputs name it.
        action: What it is authorised as, such as `dynamodb:PutItem`.
        resource: What it is made on, as the stack's outputs name it; of an index,
            `CommandTable/index/outbox`.
        leading_key: The pattern of the partition keys that it names; empty where there are none,
            or where they are no strings.
    """

    function: str
    action: str
    resource: str
    leading_key: str = ""


@dataclass(frozen=True)
class CallLog:
    """The calls in each wiring."""

    calls: Mapping[str, frozenset[Call]]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it.

        Raises:
            NotStartedError: The file is absent, or is none.
        """
        document = read_json(path)
        try:
            return cls(
                {
                    wiring: frozenset(Call(**call) for call in calls)
                    for wiring, calls in (document or {})["calls"].items()
                }
            )
        except (AttributeError, KeyError, TypeError):
            raise NotStartedError(f"{path} is no call log: {HOW_TO_WRITE}.") from None

    def write(self, path: Path) -> None:
        """Write it, sorted, so that a change shows as one."""
        write_json(
            path,
            {
                "calls": {
                    wiring: [asdict(one) for one in sorted(calls)]
                    for wiring, calls in sorted(self.calls.items())
                }
            },
        )
