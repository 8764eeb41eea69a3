from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import NotStartedError
from tidemark.host.deployment import Deployment
from tidemark.load.choice import DEPLOYMENT_VARIABLE, choose_deployment

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
def test_the_newest_deployment_on_this_machine_is_taken(newest: str) -> None:
    for name in ("A", "B"):
        path = replace(LOCAL, stack_name=name).save()
        age_s = 10 if name == newest else 100
        os.utime(path, (10_000 - age_s, 10_000 - age_s))
    assert choose_deployment().stack_name == newest


def test_the_environment_decides_if_it_names_one(tmp_path: Path) -> None:
    replace(LOCAL, stack_name="Newest").save()
    named = replace(LOCAL, stack_name="Named").save(tmp_path / "elsewhere")
    assert choose_deployment({DEPLOYMENT_VARIABLE: str(named)}).stack_name == "Named"


def test_none_known_is_refused() -> None:
    with pytest.raises(NotStartedError, match="tidemark up"):
        choose_deployment()


def test_a_named_record_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotStartedError, match="no file"):
        choose_deployment({DEPLOYMENT_VARIABLE: str(tmp_path / "absent.json")})


@pytest.mark.parametrize("api_url", ["https://api.example.com/v1", "http://10.0.0.1/prod"])
def test_what_is_not_on_this_machine_is_never_loaded_unasked(api_url: str) -> None:
    away = replace(LOCAL, target="aws", stack_name="Away", api_url=api_url)
    os.utime(away.save(), (20_000, 20_000))
    with pytest.raises(NotStartedError, match=r"Only Away on aws is known.*load --target aws"):
        choose_deployment()
    os.utime(LOCAL.save(), (10_000, 10_000))
    assert choose_deployment() == LOCAL


def test_a_named_deployment_may_be_on_aws_and_no_other_place_away() -> None:
    path = replace(LOCAL, target="aws", api_url="https://api.example.com/v1").save()
    assert choose_deployment({DEPLOYMENT_VARIABLE: str(path)}).target == "aws"
    path = replace(LOCAL, target="endpoint", api_url="http://10.0.0.1/prod").save()
    with pytest.raises(NotStartedError, match=r"10\.0\.0\.1"):
        choose_deployment({DEPLOYMENT_VARIABLE: str(path)})
