"""A target that is searched, and one on AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.capacity.searched import DEPLOYMENT, Target
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.cli import capacity as verb
from tidemark.cli import known, searching

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    target = Target({"write": 97.0, "read": 240.0, "hot_account": 30.0})
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(known, "choose", lambda *_: (DEPLOYMENT, None))
    connection = Connection("us-east-1", DEPLOYMENT.endpoint, EMULATOR_CREDENTIALS)
    monkeypatch.setattr(known, "connect", lambda _: connection)
    monkeypatch.setattr(verb, "versions", lambda _: {"tidemark": "0.1.0", "aws-cdk": "2"})
    monkeypatch.setattr(searching, "load", target.load)
    return target


@pytest.fixture
def on_aws(target: Target, monkeypatch: pytest.MonkeyPatch) -> Target:
    deployment = replace(DEPLOYMENT, target="aws", outputs={"Wiring": "queued"})
    monkeypatch.setattr(known, "choose", lambda *_: (deployment, None))
    return target
