"""Why LocalStack did not start: what Docker and the container said, in a sentence that helps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidemark.errors import NotStartedError, TidemarkError
from tidemark.targets.compose_file import image_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TOKEN = re.compile(r"LOCALSTACK_AUTH_TOKEN|licen[cs]e activation|auth token", re.IGNORECASE)
_PORT = re.compile(r"port is already allocated|address already in use", re.IGNORECASE)
_DISK = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


def of_pull(words: str, image: str) -> TidemarkError:
    """The error for what was said when an image was to be downloaded."""
    return _of_full_disk(words) or TidemarkError(
        f"The image {image} is not on this machine and cannot be pulled ({last_line(words)}): "
        "correct LOCALSTACK_IMAGE or the way to the registry, or take the embedded target."
    )


def of_start(words: str, image: str, port: int | None) -> TidemarkError:
    """The error for what was said when a container was to start, at a port if one was fixed."""
    if port is not None and _PORT.search(words):
        return NotStartedError(
            f"Port {port} is taken: stop what listens there, choose another --port, or leave the "
            "choice to Tidemark."
        )
    return _of_full_disk(words) or TidemarkError(
        f"Docker does not start {image}: {last_line(words)}."
    )


def of_end(log: Path, image: str, how: str) -> TidemarkError:
    """The error for a container that ended while it was starting.

    Args:
        log: Where all that it printed is kept, if the engine told.
        image: Which image it was.
        how: How it ended.
    """
    printed = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    if _TOKEN.search(printed):
        return TidemarkError(
            f"The image {image} needs a token: set LOCALSTACK_AUTH_TOKEN, or leave out "
            f"LOCALSTACK_IMAGE, for {image_of({})} runs without one."
        )
    return _of_full_disk(printed) or TidemarkError(
        f"LocalStack ended while starting ({how}; its last words: {last_line(printed)}): see {log}."
    )


def how_ended(state: Mapping[str, object]) -> str | None:
    """How a container ended, by what the engine says of its state; ``None`` while it runs."""
    if state.get("Status") == "created":
        return "it never ran"
    if state.get("Status") not in {"exited", "dead"}:
        return None
    if state.get("OOMKilled"):
        return "the machine ran out of memory for it"
    return f"exit code {state.get('ExitCode')}"


def last_line(text: str) -> str:
    """The last line that says something, without its full stop."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it said nothing"


def _of_full_disk(words: str) -> TidemarkError | None:
    if not _DISK.search(words):
        return None
    return TidemarkError(
        "The disk is full where Docker keeps its images and containers: `docker system df` shows "
        "what takes the room, `docker system prune` makes some."
    )
