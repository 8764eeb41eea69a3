"""The command line: `tidemark VERB`."""

from __future__ import annotations

from tidemark.cli.program import main

__all__ = ["main"]
