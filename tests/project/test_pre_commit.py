"""The hooks before a commit download nothing, and say what `make lint` says."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.project.reading import ROOT

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS: list[dict[str, Any]] = [hook for repo in CONFIG["repos"] for hook in repo["hooks"]]


def test_every_hook_runs_a_locked_tool_of_this_checkout() -> None:
    assert {repo["repo"] for repo in CONFIG["repos"]} == {"local"}
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    packages = {"lint-imports": "import-linter"}
    for hook in HOOKS:
        assert hook["language"] == "system"
        program = hook["entry"].split()[0]
        assert (ROOT / program).exists()
        tool = program.rpartition("/")[2]
        assert f'name = "{packages.get(tool, tool)}"\n' in lock


def test_the_hooks_are_those_of_make_lint_and_the_lock_file() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^lint:.*\n((?:\t.+\n)+)", makefile, re.MULTILINE)
    assert recipe is not None
    linted = re.findall(r"\.venv/bin/(.+)", recipe[1])
    hooked = [re.sub(r"^\.venv/bin/| --force-exclude", "", hook["entry"]) for hook in HOOKS]
    assert sorted(hooked) == sorted([*linted, "uv lock --check"])
