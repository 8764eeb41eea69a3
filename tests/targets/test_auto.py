"""What `auto` takes is something that `up` can start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import choose

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("programs", "name", "why"),
    [
        (("docker",), "embedded", "Docker is here and Compose is not; TARGET=localstack needs it."),
        (("docker", "docker-compose"), "localstack", "Docker and localstack/"),
    ],
)
def test_localstack_is_taken_only_where_compose_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    programs: tuple[str, ...],
    name: str,
    why: str,
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in programs:
        (folder / program).write_text('#!/bin/sh\n[ "$1" != compose ]\n')
        (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))

    choice = choose("auto", TargetOptions(state=tmp_path / "state"), {})

    assert choice.name == name
    assert choice.why is not None
    assert choice.why.startswith(why)
