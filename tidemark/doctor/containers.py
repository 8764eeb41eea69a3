"""Function containers whose LocalStack is gone: nobody stops them any more."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tidemark.doctor.finding import Finding, lacking
from tidemark.targets import engine
from tidemark.targets.compose_file import read
from tidemark.targets.container_trouble import how_ended

if TYPE_CHECKING:
    from collections.abc import Iterator


def find_orphans() -> Iterator[Finding]:
    """The groups of containers that a LocalStack of ours left behind when it died."""
    [label] = read({})["labels"]
    try:
        with engine.connected() as docker:
            found = docker.api.containers(all=True, filters={"label": label})
    except engine.EngineError:
        return
    there = {
        name
        for one in found
        if how_ended({"Status": one["State"]}) is None
        for name in one["Names"]
    }
    for project, count in Counter(one["Labels"][label] for one in found).items():
        if f"/{read({'COMPOSE_PROJECT_NAME': project})['container_name']}" in there:
            continue
        yield lacking(
            "containers",
            f"{count} containers of a LocalStack that is gone ({label}={project})",
            "docker rm --force --volumes "
            f"$(docker ps --all --quiet --filter label={label}={project})",
            is_needed=False,
        )
