"""Synthesis: the CDK app's cloud assembly, made again only when something it depends on changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tidemark.aws.connection import cleaned
from tidemark.aws.stacks import template_digest
from tidemark.deploy import cdk
from tidemark.errors import TidemarkError
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
        stack_name: The name of its one stack.
        contexts: Context values for the app besides the stack's name.
        command: What runs the app; ``python`` is the interpreter that runs the harness.
        inputs: Files and folders, relative to the checkout, that the result depends on.
        folder: Where the result goes; ``None``: where it is found again by what it depends on.
        may_name_itself: Whether its stack may be called otherwise than it is told.
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


@dataclass(frozen=True, slots=True)
class Assembly:
    """A synthesised app with one stack.

    Attributes:
        folder: The cloud assembly, as `cdk --app` takes it.
        stack_name: The name that its stack is deployed under.
        template: The stack's template.
    """

    folder: Path
    stack_name: str
    template: Mapping[str, Any]

    @property
    def declared_outputs(self) -> tuple[str, ...]:
        """The keys of the outputs that its stack always has."""
        outputs = self.template.get("Outputs", {})
        return tuple(key for key, output in outputs.items() if "Condition" not in output)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read an assembly.

        Raises:
            TidemarkError: It has no stack, or several, or is not whole.
        """
        if not (folder / "manifest.json").is_file():
            raise TidemarkError(
                "The CDK app wrote nothing to the folder that CDK_OUTDIR names: it must end with "
                "`app.synth()`."
            )
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        found = {
            name: artifact["properties"]
            for name, artifact in manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        if len(found) != 1:
            raise TidemarkError(f"The CDK app must have one stack and has {len(found)}.")
        if missing := manifest.get("missing"):
            raise TidemarkError(
                f"The CDK app looks up {missing[0]['key']} in an account: put what it finds into "
                "cdk.context.json, as `cdk synth` does."
            )
        [(name, properties)] = found.items()
        text = (folder / properties["templateFile"]).read_text(encoding="utf-8")
        return cls(folder, properties.get("stackName", name), json.loads(text))

    @property
    def digest(self) -> str:
        """The template's digest; see :func:`template_digest`."""
        return template_digest(self.template)


def find(app: App) -> Assembly | None:
    """The assembly of this very state of the app, if it was made before."""
    folder = folder_of(app)
    if not (folder / "manifest.json").is_file():
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
            env=cleaned()
            | {
                "CDK_OUTDIR": str(aside),
                "CDK_CONTEXT_JSON": json.dumps(app.all_contexts),
                "PATH": cdk.tool_path(),
            },
            cwd=app.checkout,
            log=log,
        )
        if finished.exit_code != 0:
            raise TidemarkError(
                f"The CDK app does not synthesise: {cdk.last_words(finished.output)} "
                f"(all of it: {log})."
            )
        made = Assembly.read(aside)
        if made.stack_name != app.stack_name and not app.may_name_itself:
            raise TidemarkError(
                f"The CDK app named its stack {made.stack_name} where {app.stack_name} was asked "
                "for: it must take its name from the context stack_name."
            )
        try:
            aside.rename(folder)
        except OSError:
            if not (folder / "manifest.json").is_file():
                raise  # not a second run that came first with the same assembly
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    if app.folder is None:
        _prune(folder.parent)
    return Assembly.read(folder)


def folder_of(app: App) -> Path:
    """Where the assembly of this very state of the app is, or will be."""
    return app.folder or app.checkout / "build" / "synth" / app.digest()[:24]


def _context_of(folder: Path) -> dict[str, Any]:
    """The context that the CDK command line would hand to an app in a folder."""
    project = read_json(folder / "cdk.json") or {}
    looked_up = read_json(folder / "cdk.context.json") or {}
    return {**looked_up, **project.get("context", {})}


def _prune(folder: Path) -> None:
    """Remove assemblies that nobody has used for a while, but for the newest few."""
    by_age = sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT_ASSEMBLIES:]:
        if time.time() - old.stat().st_mtime > _KEPT_FOR_S:
            shutil.rmtree(old, ignore_errors=True)
