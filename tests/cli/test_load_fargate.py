"""The verb load on machines of its own: whatever fails, they are deleted."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from tests.deploy.test_fargate import DEPLOYMENT
from tidemark.cli import load_fargate
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from pathlib import Path


def test_machines_whose_bucket_cannot_be_emptied_are_deleted_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[Any] = []
    machines = MagicMock()
    machines.empty.side_effect = TidemarkError("Access denied.")
    rollout = MagicMock()
    rollout.run.return_value = [SimpleNamespace(outputs={})]
    for name in ("AwsClients", "App", "Cdk", "outputs", "synthesise"):
        monkeypatch.setattr(load_fargate, name, MagicMock())
    monkeypatch.setattr(load_fargate, "heal", lambda *_, **__: [])
    monkeypatch.setattr(load_fargate, "locked", lambda _: nullcontext())
    monkeypatch.setattr(load_fargate, "Rollout", lambda *_, **__: rollout)
    monkeypatch.setattr(load_fargate, "Machines", lambda *_: machines)
    monkeypatch.setattr("tidemark.deploy.teardown.destroy", lambda *said: deleted.append(said))

    with pytest.raises(TidemarkError, match="Access denied"):
        load_fargate.load(DEPLOYMENT, MagicMock(), tmp_path, [], workers=1, run_id="run-1")

    assert len(deleted) == 1
