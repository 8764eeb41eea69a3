"""Whom a target's APIs take us for, as its functions are told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tidemark import targets
from tidemark.aws.principals import NOBODY
from tidemark.targets import emulators
from tidemark.targets.base import TargetOptions
from tidemark.targets.emulators import Emulator
from tidemark.testing import capabilities

if TYPE_CHECKING:
    from pathlib import Path

CLIENTS: Any = SimpleNamespace(
    sts=SimpleNamespace(get_caller_identity=lambda: {"UserId": "AROAROLE:session"}),
    connection=SimpleNamespace(endpoint="http://127.0.0.1:4566"),
)


def principal_at(target: str, state: Path) -> str:
    return targets.create(target, TargetOptions(state=state)).principal(CLIENTS)


@pytest.mark.parametrize(("target", "version"), capabilities.MEASURED)
def test_an_emulator_knows_us_if_it_tells_functions_who_calls(
    tmp_path: Path, target: str, version: str
) -> None:
    tells = "callers" not in capabilities.MEASURED[target, version]

    assert principal_at(target, tmp_path) == ("AROAROLE" if tells else NOBODY)


def test_aws_knows_us_without_our_session(tmp_path: Path) -> None:
    assert principal_at("aws", tmp_path) == "AROAROLE"


@pytest.mark.parametrize(
    ("emulator", "principal"),
    [
        (Emulator("localstack", "4.14.0"), NOBODY),
        (Emulator("embedded", "1.5.33"), "AROAROLE"),
        (None, "AROAROLE"),
    ],
)
def test_an_endpoint_is_what_answers_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator | None, principal: str
) -> None:
    monkeypatch.setattr(emulators, "emulator_at", lambda _: emulator)

    assert principal_at("endpoint", tmp_path) == principal
