"""The examples' tests pass with the built wheel alone, in an environment of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance import containers
from acceptance.program import CHECKOUT
from tidemark.aws.connection import clean_environment
from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = sorted(path.parent.name for path in (CHECKOUT / "examples").glob("*/app.py"))
WHEELS_VARIABLE = "TIDEMARK_WHEELS"
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and nothing of the checkout."""

    python: Path

    def run(self, cwd: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return run([self.python, *words], cwd, environ)


def run(
    words: list[str | Path], cwd: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in clean_environment().items()
        if not name.startswith(("PYTEST_", "PYTHON", "TIDEMARK_")) and name != "VIRTUAL_ENV"
    }
    return subprocess.run(
        words,
        cwd=cwd,
        env={**inherited, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def copied(name: str, folder: Path) -> Path:
    """An example's project in a folder of its own."""
    project = folder / name
    shutil.copytree(
        CHECKOUT / "examples" / name, project, ignore=shutil.ignore_patterns(".*", "__pycache__")
    )
    # The CDK command line, as npm would install it there.
    (project / "node_modules").symlink_to(CHECKOUT / "node_modules")
    return project


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in the folder that somebody names, such as that of a release, else a new one."""
    if named := os.environ.get(WHEELS_VARIABLE):
        folder = CHECKOUT / named
    else:
        folder = tmp_path_factory.mktemp("wheel")
        built = run([UV, "build", "--wheel", "--out-dir", folder, CHECKOUT], folder)
        assert built.returncode == 0, built.stderr
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("environment")
    made = run([UV, "venv", "--python", sys.executable, folder / ".venv"], folder)
    assert made.returncode == 0, made.stderr
    python = folder / ".venv" / "bin" / "python"
    wanted = [
        f"{wheel}[embedded,localstack,deploy,check]",
        "pytest>=9.2,<10",
        "pytest-xdist>=3.8,<4",
    ]
    found = run([UV, "pip", "install", "--python", python, *wanted], folder)
    if found.returncode != 0 and not os.environ.get("CI"):
        pytest.skip(f"uv cannot install the wheel here: {found.stderr.strip()}")
    assert found.returncode == 0, found.stderr
    return Installed(python)


def test_the_wheel_holds_the_harness_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        tops = {name.partition("/")[0] for name in opened.namelist()}
        names = opened.namelist()

    assert {top for top in tops if not top.endswith(".dist-info")} == {"tidemark"}
    assert "tidemark/pytest_plugin.py" in names
    assert not [name for name in names if "__pycache__" in name]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "options",
    [[], ["-n", "2"], ["--target", "localstack"]],
    ids=["embedded", "two-workers", "localstack"],
)
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_passes_with_the_wheel_alone(
    installed: Installed, name: str, options: list[str], tmp_path: Path
) -> None:
    if "localstack" in options:
        containers.require()
    project = copied(name, tmp_path)

    session = installed.run(project, "-m", "pytest", "-p", "no:cacheprovider", *options)

    assert session.returncode == 0, session.stdout + session.stderr
    assert " passed" in session.stdout
    assert "skipped" not in session.stdout
    assert session.stderr.count("is deployed") == 1
    assert "Verdict: holds (7 holds; " in session.stdout
    assert "projection lag" in session.stdout
    assert not list((project / ".tidemark" / "pytest").rglob("*.*"))


@pytest.mark.timeout(240)
def test_a_bug_that_no_test_asks_for_fails_the_session_and_can_be_followed(
    installed: Installed, tmp_path: Path
) -> None:
    project = copied("parcels", tmp_path)

    session = installed.run(
        project, "-m", "pytest", "-p", "no:cacheprovider", "--tidemark-context=tracker=careless"
    )

    assert session.returncode == ExitCode.VIOLATED, session.stdout + session.stderr
    assert " passed" in session.stdout
    assert "failed" not in session.stdout
    assert "violated I6, I8)" in session.stdout
    assert "was touched by t4-test-a-copy-of-an-event-holds-nothing-up" in session.stdout
    judged = installed.run(project, "-m", "tidemark", "check", "--only", "I6")
    assert judged.returncode == ExitCode.VIOLATED, judged.stderr
    assert "the account is not the fold of its events" in judged.stdout
    [shown] = [line for line in judged.stdout.splitlines() if "at last read model" in line]
    assert '"places":["Oslo","Oslo","Bergen"]' in shown


@pytest.mark.timeout(240)
def test_the_guide_leads_from_a_stack_of_ones_own_to_a_verdict(
    installed: Installed, tmp_path: Path
) -> None:
    guide = (CHECKOUT / "docs" / "own-workload.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(python|ini)\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    names = ("library_workload.py", "test_library.py", "pytest.ini")
    for name, (_, block) in zip(names, blocks, strict=True):
        assert f"`{name}`" in guide
        (tmp_path / name).write_text(block, encoding="utf-8")
    shutil.copy(CHECKOUT / "acceptance" / "library" / "app.py", tmp_path)
    (tmp_path / "node_modules").symlink_to(CHECKOUT / "node_modules")

    first = installed.run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider")

    assert first.returncode == ExitCode.OK, first.stdout + first.stderr
    verdict = "Verdict: holds (7 holds; not exercised I4, I7, I9, I10, I11, I12, I13, I15, I16"
    assert verdict in first.stdout
    assert verdict in guide
    workload = tmp_path / names[0]
    lines = workload.read_text(encoding="utf-8").splitlines()
    broken = '        return {"lent_to": ""}'
    assert broken.strip() in guide
    [fold] = [at for at, line in enumerate(lines) if line.strip().startswith('return {"lent_to"')]
    workload.write_text("\n".join([*lines[:fold], broken, *lines[fold + 1 :]]), encoding="utf-8")
    second = installed.run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider")
    assert second.returncode == ExitCode.VIOLATED, second.stdout + second.stderr
    assert " passed" in second.stdout
    assert "violated I6, I8)" in second.stdout


@pytest.mark.timeout(240)
def test_a_workload_that_raises_is_named_and_nothing_is_judged(
    installed: Installed, tmp_path: Path
) -> None:
    project = copied("parcels", tmp_path)
    workload = project / "workload.py"
    text = workload.read_text(encoding="utf-8")
    workload.write_text(text.replace('item["key"]', 'item["no_key"]'), encoding="utf-8")

    session = installed.run(project, "-m", "pytest", "-p", "no:cacheprovider")

    assert session.returncode == ExitCode.FAILED, session.stdout + session.stderr
    assert "What the session left behind could not be judged." in session.stdout
    assert "Parcels.events raised KeyError: 'no_key', at " in session.stdout
    assert "Traceback" not in session.stdout + session.stderr
    judged = installed.run(project, "-m", "tidemark", "check")
    assert judged.returncode == ExitCode.UNKNOWN, judged.stdout + judged.stderr
    assert "was never closed" in judged.stdout
