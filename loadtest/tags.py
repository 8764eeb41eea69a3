"""Locust's tags: they say which operations of a mix are sent, for a call is one task for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.errors import NotStartedError
from tidemark.load.toml_file import nearest
from tidemark.workloads.bank_traffic import READS, WRITES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_TAGS = {name: {name, "write"} for name in WRITES} | {name: {name, "read"} for name in READS}


def operations(options: Any) -> list[str]:
    """Take Locust's options `--tags` and `--exclude-tags`; return the operations that they leave.

    Raises:
        NotStartedError: If there is no such tag, or no operation is left.
    """
    wanted, unwanted = set(options.tags or ()), set(options.exclude_tags or ())
    known = sorted({tag for tags in _TAGS.values() for tag in tags})
    for tag in sorted(wanted | unwanted):
        if tag not in known:
            raise NotStartedError(f"There is no tag {tag}; {nearest(tag, known)}.")
    forget(options)
    left = [
        name
        for name, tags in _TAGS.items()
        if (not wanted or tags & wanted) and not tags & unwanted
    ]
    if not left:
        raise NotStartedError("These tags leave no operation: say fewer of them.")
    return left


def forget(options: Any) -> None:
    """Keep the options from Locust, which would look for them at the one task."""
    options.tags = options.exclude_tags = None


def restrict(mix: Mapping[str, float], left: Collection[str]) -> dict[str, float]:
    """Return what is left of a mix.

    Raises:
        NotStartedError: If that is nothing.
    """
    restricted = {name: weight for name, weight in mix.items() if name in left}
    if not any(restricted.values()):
        raise NotStartedError(f"Of {', '.join(mix)} the tags leave nothing: say others.")
    return restricted
