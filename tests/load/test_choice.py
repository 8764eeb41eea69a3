from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import RefusedError
from tidemark.host.deployment import Deployment
from tidemark.load.choice import DEPLOYMENT_VARIABLE, chosen_deployment

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="One",
    api_url="http://127.0.0.1:1/prod",
    template_digest="",
    outputs={},
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.delenv(DEPLOYMENT_VARIABLE, raising=False)
    return tmp_path


@pytest.mark.parametrize("newest", ["A", "B"])
def test_the_deployment_recorded_last_is_taken(newest: str) -> None:
    for name in ("A", "B"):
        path = replace(LOCAL, stack_name=name).save()
        age_s = 10 if name == newest else 100
        os.utime(path, (10_000 - age_s, 10_000 - age_s))
    assert chosen_deployment().stack_name == newest


def test_the_environment_decides_if_it_names_one(tmp_path: Path) -> None:
    replace(LOCAL, stack_name="Newest").save()
    named = replace(LOCAL, stack_name="Named").save(tmp_path / "elsewhere")
    assert chosen_deployment({DEPLOYMENT_VARIABLE: str(named)}).stack_name == "Named"


def test_none_recorded_is_refused() -> None:
    with pytest.raises(RefusedError, match="tidemark up"):
        chosen_deployment()


def test_a_named_record_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no file"):
        chosen_deployment({DEPLOYMENT_VARIABLE: str(tmp_path / "absent.json")})


def test_a_load_run_leaves_this_machine_only_for_aws() -> None:
    away = replace(LOCAL, target="endpoint", api_url="http://10.0.0.1/prod")
    away.save()
    with pytest.raises(RefusedError, match=r"10\.0\.0\.1"):
        chosen_deployment()
    path = replace(away, target="aws", api_url="https://api.example.com/v1").save()
    assert chosen_deployment({DEPLOYMENT_VARIABLE: str(path)}).target == "aws"
