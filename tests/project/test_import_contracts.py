"""Each import contract turns red when it is broken."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.project.reading import ROOT

PACKAGES = ("functions", "stack", "tidemark", "loadtest")
# A module and an import that one contract forbids.
BROKEN_BY = {
    "layers": ("functions/adapters/items.py", "import functions.command_handler.handler"),
    "handlers": ("functions/query_handler/handler.py", "import functions.outbox_sweeper.sweep"),
    "domain": ("functions/domain/account.py", "import time"),
    "environment": ("functions/query_handler/handler.py", "import os"),
    "uncertainty": ("functions/command_handler/execution.py", "import uuid"),
    "entries": ("functions/query_handler/handler.py", "import functions.query_handler.entry"),
    "functions": ("functions/adapters/telemetry.py", "import tidemark.errors"),
    "stack": ("stack/asset.py", "import functions.adapters.items"),
    "harness": ("tidemark/cli/load.py", "import locust"),
    "rooms": ("tidemark/host/ports.py", "import tidemark.deploy.cdk"),
    "loadtest": ("loadtest/users.py", "import functions.domain.account"),
}
SECTION = "importlinter:contract:"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources and the contracts."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def broken_contracts(checkout: Path) -> set[str]:
    """The names of the contracts that the sources of a checkout break."""
    finished = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in finished.stdout, finished.stdout + finished.stderr
    broken = set(re.findall(r"^(.+?) BROKEN", finished.stdout, re.MULTILINE))
    assert bool(broken) == (finished.returncode != 0)
    return broken


def contracts() -> dict[str, str]:
    """The contracts' names by their ids."""
    config = ConfigParser()
    config.read(ROOT / ".importlinter")
    return {
        section.removeprefix(SECTION): config[section]["name"]
        for section in config.sections()
        if section.startswith(SECTION)
    }


def test_the_sources_keep_every_contract(checkout: Path) -> None:
    assert broken_contracts(checkout) == set()


def test_every_contract_is_broken_here_once() -> None:
    assert contracts().keys() == BROKEN_BY.keys()


@pytest.mark.parametrize("contract", BROKEN_BY)
def test_a_forbidden_import_breaks_its_contract(checkout: Path, contract: str) -> None:
    module, forbidden = BROKEN_BY[contract]
    path = checkout / module
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n{forbidden}\n", encoding="utf-8")
    try:
        assert contracts()[contract] in broken_contracts(checkout)
    finally:
        path.write_text(before, encoding="utf-8")
