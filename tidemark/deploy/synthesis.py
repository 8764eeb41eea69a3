"""Synthesis: the CDK app's cloud assembly, made again only when something it depends on changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tidemark.aws.connection import clean_environment
from tidemark.deploy import cdk
from tidemark.deploy.assembly import Assembly, is_whole
from tidemark.errors import TidemarkError
from tidemark.host.node import tool_path
from tidemark.host.state import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.host.processes import Children

_INPUTS = ("cdk.json", "functions", "package-lock.json", "stack", "uv.lock")
OWN_COMMAND = ("python", "-m", "stack.app")
_PYTHON = ("python", "python3")
_KEPT_ASSEMBLIES = 8
_KEPT_FOR_S = 3600.0


@dataclass(frozen=True, slots=True)
class App:
    """What is synthesised.

    Attributes:
        checkout: The folder that the app runs in.
        stack_name: The name that its stack is told to have.
        contexts: Context values for the app besides the stack's name.
        command: What runs the app; ``python`` is the interpreter that runs the harness.
        inputs: Files and folders, relative to the checkout, that the result depends on.
        folder: Where the result goes; ``None``: where it is found again by what it depends on.
        may_name_itself: Whether its stacks may be called otherwise than told.
    """

    checkout: Path
    stack_name: str
    contexts: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = OWN_COMMAND
    inputs: tuple[str, ...] = _INPUTS
    folder: Path | None = None
    may_name_itself: bool = False

    @property
    def all_contexts(self) -> dict[str, Any]:
        """The contexts, with the project's own and the stack's name among them."""
        return {**_context_of(self.checkout), **self.contexts, "stack_name": self.stack_name}

    @property
    def program(self) -> list[str]:
        """What runs the app here."""
        first, *rest = self.command
        return [sys.executable if first in _PYTHON else first, *rest]

    @property
    def is_own(self) -> bool:
        """Whether it is Tidemark's, whose inputs are known and whose outputs verbs rely on."""
        return self.command == OWN_COMMAND

    def digest(self) -> str:
        """A hash over everything the assembly depends on, in hex."""
        told = [self.command, sys.version, sorted(self.all_contexts.items())]
        sha = hashlib.sha256(json.dumps(told).encode())
        for path in sorted(self._files()):
            sha.update(f"\n{path.relative_to(self.checkout)}\n".encode())
            sha.update(hashlib.sha256(path.read_bytes()).digest())
        return sha.hexdigest()

    def _files(self) -> Iterator[Path]:
        for name in self.inputs:
            top = self.checkout / name
            if top.is_file():
                yield top
            for folder, folders, files in os.walk(top):
                folders[:] = [one for one in folders if one != "__pycache__"]
                yield from (Path(folder) / file for file in files)


def find(app: App) -> Assembly | None:
    """The assembly of this very state of the app, if it was made before."""
    folder = folder_of(app)
    with _alone(folder):
        if not is_whole(folder):
            return None
        os.utime(folder)
    return Assembly.read(folder)


def synthesise(app: App, children: Children, log: Path) -> Assembly:
    """Make the assembly, or find it.

    The app is run as the CDK command line would run it, without starting that first: the app
    itself fixes what the command line would add.

    Args:
        app: What to synthesise.
        children: Runs the app.
        log: Where the app's output is kept.

    Raises:
        TidemarkError: The app failed; its last words are in the message.
    """
    found = find(app)
    if found is not None:
        return found
    folder = folder_of(app)
    # Made aside and moved into place, so that what is in place is whole.
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    aside.mkdir(parents=True, exist_ok=True)
    try:
        finished = children.run(
            app.program,
            env=clean_environment()
            | {
                "CDK_OUTDIR": str(aside),
                "CDK_CONTEXT_JSON": json.dumps(app.all_contexts),
                "PATH": tool_path(),
            },
            cwd=app.checkout,
            log=log,
        )
        if finished.exit_code != 0:
            raise TidemarkError(
                f"The CDK app does not synthesise: {cdk.last_words(finished.output)} "
                f"(all of it: {log})."
            )
        _check_names(app, Assembly.read(aside))
        with _alone(folder):
            if not is_whole(folder):  # else a second run came first with the same assembly
                aside.rename(folder)
            os.utime(folder)
            if app.folder is None:
                _prune(folder.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Assembly.read(folder)


def folder_of(app: App) -> Path:
    """Where the assembly of this very state of the app is, or will be."""
    return app.folder or app.checkout / "build" / "synth" / app.digest()[:24]


def _check_names(app: App, made: Assembly) -> None:
    """Refuse names that may be those of other people's stacks.

    Raises:
        TidemarkError: The app has several stacks where it is to have one, or names them itself.
    """
    names = [one.name for one in made.stacks]
    if app.is_own and len(names) != 1:
        raise TidemarkError(f"The CDK app must have one stack and has {', '.join(names)}.")
    for name in names:
        is_told = name == app.stack_name or name.startswith(f"{app.stack_name}-")
        if not is_told and not app.may_name_itself:
            raise TidemarkError(
                f"The CDK app named a stack {name} where {app.stack_name} was asked for: it must "
                "take the name, or the beginning of each, from the context stack_name."
            )


def _context_of(folder: Path) -> dict[str, Any]:
    """The context that the CDK command line would hand to an app in a folder."""
    project = read_json(folder / "cdk.json") or {}
    looked_up = read_json(folder / "cdk.context.json") or {}
    return {**looked_up, **project.get("context", {})}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no other process remove a folder that is just found, or find one half removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / ".lock"):
        yield


def _prune(folder: Path) -> None:
    """Remove assemblies that nobody has used for a while, but for the newest few."""
    made = (one for one in folder.iterdir() if one.is_dir())
    by_age = sorted(made, key=lambda one: one.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT_ASSEMBLIES:]:
        if time.time() - old.stat().st_mtime > _KEPT_FOR_S:
            shutil.rmtree(old, ignore_errors=True)
