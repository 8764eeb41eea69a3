"""Function containers whose LocalStack is gone: nobody stops them any more."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tidemark.doctor.finding import Finding, lacking
from tidemark.targets import engine

if TYPE_CHECKING:
    from collections.abc import Iterator

# The label that LocalStack gives its function containers, and how it is named itself: by the
# compose file, and by a test session.
_NAME_OF_LOCALSTACK = {
    "tidemark.project": "{}-localstack",
    "tidemark.testbed": "tidemark-testbed-{}",
}


def orphaned() -> Iterator[Finding]:
    """The groups of containers that a LocalStack of ours left behind when it died."""
    running = set((engine.asked(["ps", "--format", "{{.Names}}"]) or "").split())
    for label, name in _NAME_OF_LOCALSTACK.items():
        for value, count in _groups(label).items():
            if name.format(value) in running:
                continue
            yield lacking(
                "containers",
                f"{count} function containers of a LocalStack that is gone ({label}={value})",
                "docker rm --force --volumes "
                f"$(docker ps --all --quiet --filter label={label}={value})",
                is_needed=False,
            )


def _groups(label: str) -> Counter[str]:
    """How many containers there are for each value of a label."""
    listed = engine.asked(
        ["ps", "--all", "--filter", f"label={label}", "--format", f'{{{{.Label "{label}"}}}}']
    )
    return Counter((listed or "").split())
