"""What is installed beside other people's apps leaves them their versions."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = [
    Requirement(one)
    for extra in PROJECT["project"]["optional-dependencies"].values()
    for one in extra
]


def test_an_extra_pins_nothing_but_the_emulator() -> None:
    pinned = [one.name for one in EXTRAS if any(part.operator == "==" for part in one.specifier)]

    assert pinned == ["ministack"]


def test_the_rules_that_this_repository_checks_its_stack_by_are_not_brought() -> None:
    assert "cdk-nag" not in {one.name for one in EXTRAS}
