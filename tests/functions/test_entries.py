"""What Lambda imports: a handler that is ready before the first invocation."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.adapters import clock
from tests.functions.calling import LambdaContext, proxy_event

FUNCTIONS = Path(clock.__file__).parents[1]
ENTRIES = sorted(path.parent.name for path in FUNCTIONS.glob("*/entry.py"))


def entered(function: str) -> Any:
    """What the function's setting names, as its import leaves it."""
    return runpy.run_module(f"functions.{function}.entry")["handle"]


def test_every_handler_has_an_entry() -> None:
    assert sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py")) == ENTRIES


@pytest.mark.parametrize("function", ENTRIES)
def test_a_handler_and_its_clients_are_built_at_import(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = entered(function)
    # Whoever made a client or read the environment after this would notice.
    for name in [name for name in os.environ if not name.startswith("PYTEST")]:
        monkeypatch.delenv(name)
    event = (
        proxy_event("POST", "/accounts", body={"owner_id": "o"})
        if function == "command_handler"
        else proxy_event("GET", "/owners/{owner_id}/totals", path={"owner_id": "nobody"})
        | {"Records": []}
    )
    assert handle(event, LambdaContext()) is not None


@pytest.mark.parametrize("function", ENTRIES)
def test_a_variable_that_is_missing_is_named_at_import(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "QUERY_TABLE_NAME" if function == "query_handler" else "COMMAND_TABLE_NAME"
    monkeypatch.delenv(table)
    with pytest.raises(TypeError, match=table.lower()):
        entered(function)


def test_nothing_else_acts_at_import() -> None:
    modules = [
        ".".join(("functions", *path.relative_to(FUNCTIONS).with_suffix("").parts))
        for path in FUNCTIONS.rglob("*.py")
        if path.name != "entry.py"
    ]
    imported = "\n".join(f"import {module}" for module in modules)
    subprocess.run(
        [sys.executable, "-c", f"{imported}\nimport boto3\nassert boto3.DEFAULT_SESSION is None"],
        env={"PYTHONPATH": str(FUNCTIONS.parent)},
        check=True,
    )
