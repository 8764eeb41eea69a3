"""What make is told reaches what it starts, or is refused."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.project.reading import ROOT, variables_of_make, variables_of_programs

if TYPE_CHECKING:
    from pathlib import Path


def make(*words: str) -> subprocess.CompletedProcess[str]:
    """Reads the Makefile, and starts nothing."""
    return subprocess.run(
        ["make", "--dry-run", *words],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("TARGTE=localstack", "TARGET"),
        ("STACKNAME=Mine", "STACK_NAME"),
        ("target=localstack", "TARGET"),
        ("USER=8", "USERS"),
        ("PROT=4567", "PORT"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_name(said: str, meant: str) -> None:
    ended = make("up", said)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"There is no variable {said.partition('=')[0]}; the nearest is {meant}." in ended.stderr


def test_variables_of_ours_and_of_the_programs_that_are_started_pass() -> None:
    said = [*variables_of_make(), "AWS_PROFILE", "HTTPS_PROXY", "no_proxy"]

    assert make("up", *(f"{name}=x" for name in said)).returncode == 0


def test_a_make_that_calls_this_one_may_have_variables_of_its_own() -> None:
    ended = subprocess.run(
        ["make", "--file=-", "OF_ITS_OWN=x"],
        cwd=ROOT,
        input="all:\n\t@$(MAKE) --dry-run up\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr


def test_make_takes_every_variable_that_a_program_reads() -> None:
    assert variables_of_programs() <= variables_of_make()
    read_by_make = set(re.findall(r"\$\(if \$\(([A-Z]+)\)", (ROOT / "Makefile").read_text()))
    assert read_by_make <= variables_of_make()


@pytest.mark.parametrize("goal", ["test", "bench"])
def test_what_needs_no_account_starts_without_settings_of_aws(goal: str, tmp_path: Path) -> None:
    """Whatever it starts: a program that prints its environment stands where pytest would."""
    makefile = tmp_path / "Makefile"
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    makefile.write_text(
        re.sub(r"\.venv/bin/(pytest|python) .*", "env", text).replace("@tools/bootstrap", "@true")
    )
    theirs = {"AWS_PROFILE": "work", "CDK_DEFAULT_ACCOUNT": "1", "AMAZON_SESSION_TOKEN": "x"}

    ended = subprocess.run(
        ["make", "--file", makefile, goal],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": "/home/me", **theirs},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "HOME=/home/me" in ended.stdout
    found = {line for line in ended.stdout.splitlines() if line.startswith(("AWS", "AM", "CDK"))}
    assert found == {
        "AWS_CONFIG_FILE=/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
        "AWS_EC2_METADATA_DISABLED=true",
    }
