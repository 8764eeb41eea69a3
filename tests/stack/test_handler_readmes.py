"""What the stack gives a handler is what the handler reads, and what its README names."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING

import pytest

from stack.asset import SOURCES

if TYPE_CHECKING:
    from tests.stack.conftest import Template

OUTPUTS = {
    "command_handler": "CommandHandlerName",
    "outbox_sweeper": "OutboxSweeperName",
    "query_handler": "QueryHandlerName",
    "update_processor": "UpdateProcessorName",
}


def named(package: str, section: str, wiring: str) -> set[str]:
    """What the first column of a section's table names, as far as it is about a wiring."""
    text = (SOURCES / package / "README.md").read_text(encoding="utf-8")
    table = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows, f"no table of {section} in the README of {package}"
    other = {"queued": "direct", "direct": "queued"}[wiring]
    return {
        name
        for row in rows
        if f"wiring `{other}` only" not in row
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }


@pytest.mark.parametrize("package", OUTPUTS)
def test_the_readme_names_the_environment(template: Template, package: str) -> None:
    given = template.properties(OUTPUTS[package])["Environment"]["Variables"]
    assert named(package, "Environment", template.wiring) == given.keys()


@pytest.mark.parametrize("package", OUTPUTS)
def test_the_handler_reads_exactly_what_it_is_given(template: Template, package: str) -> None:
    given = template.properties(OUTPUTS[package])["Environment"]["Variables"]
    read = fields(importlib.import_module(f"functions.{package}.handler").Environment)
    always = {field.name.upper() for field in read if field.default is MISSING}
    only_queued = {field.name.upper() for field in read} - always
    assert given.keys() == (always | only_queued if template.wiring == "queued" else always)


@pytest.mark.parametrize("package", OUTPUTS)
def test_the_readme_names_the_permissions(template: Template, package: str) -> None:
    actions = {
        action
        for statement in template.role_statements(OUTPUTS[package])
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }
    assert named(package, "Permissions", template.wiring) == actions


@pytest.mark.parametrize("package", OUTPUTS)
def test_the_examples_are_json_and_named_in_the_readme(package: str) -> None:
    readme = (SOURCES / package / "README.md").read_text(encoding="utf-8")
    for path in (SOURCES / package).glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
        assert path.name in readme
    assert f"tools.run_handler {package} " in readme
