"""The state folder: where a local target and the deployments on it are remembered."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.errors import NotStartedError
from tidemark.host.project import find_upwards

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT_MARK = "cdk.json"
STATE_DIR_VARIABLE = "TIDEMARK_STATE_DIR"


def find_checkout(start: Path | None = None) -> Path | None:
    """The nearest folder upwards that holds the CDK app, or ``None`` outside a checkout."""
    return find_upwards(CHECKOUT_MARK, start or Path.cwd())


def require_checkout(verb: str) -> Path:
    """The checkout.

    Raises:
        NotStartedError: There is none; the sentence names the verb.
    """
    checkout = find_checkout()
    if checkout is None:
        raise NotStartedError(
            f"`tidemark {verb}` needs a checkout of Tidemark: no {CHECKOUT_MARK} in this folder "
            "or above it; run it there."
        )
    return checkout


def state_dir(environ: Mapping[str, str] | None = None, *, project: Path | None = None) -> Path:
    """The state folder, which need not exist yet.

    Args:
        environ: The environment; the process's own when absent.
        project: The folder that it is in unless the environment says otherwise; the checkout
            when absent.
    """
    override = (os.environ if environ is None else environ).get(STATE_DIR_VARIABLE)
    if override:
        return Path(override).expanduser().resolve()
    return (project or find_checkout() or Path.cwd()) / ".tidemark"


def make_private(folder: Path) -> None:
    """Make a state folder, which nobody else on this machine may look into."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a file as a whole, in a folder that is made if need be, with a document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, f"{json.dumps(document, indent=2)}\n")


def write_text(path: Path, text: str) -> None:
    """Replace a file as a whole: a reader sees the old one or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    """A document, or ``None`` when the file is absent, torn or not a JSON object."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
