"""What is installed is called alike everywhere, and is not a stranger's package."""

from __future__ import annotations

import re
import subprocess
import tomllib

from tests.project.reading import ROOT
from tidemark import DISTRIBUTION

# `tidemark[extra]`, or an installation of plain `tidemark`: PyPI has a package of that name.
STRANGERS = re.compile(r"(?<![-\w./])tidemark\[[a-z,]+\]|install '?tidemark(?![-\w/.])")


def test_the_distribution_is_the_one_that_the_code_looks_up() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["name"] == DISTRIBUTION


def test_no_file_tells_to_install_the_package_of_a_stranger() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "*.md", "*.py", "*.toml", "*.yml", "tools"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    found = [
        (name, said[0])
        for name in filter(None, tracked)
        if (ROOT / name).is_file() and not name.startswith("tests/project/")
        for said in STRANGERS.finditer((ROOT / name).read_text(encoding="utf-8"))
    ]

    assert found == []


def test_a_strangers_package_is_noticed() -> None:
    for said in ("pip install 'tidemark[deploy]'", "pip install tidemark", "`tidemark[load]`"):
        assert STRANGERS.search(said)
    assert not STRANGERS.search("pip install 'tidemark-cqrs[deploy]'")
