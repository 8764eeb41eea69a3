"""What LocalStack is started with is said once, for people and for the harness."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidemark.errors import RefusedError
from tidemark.targets.compose_file import describe, image_of

CHECKOUT = Path(__file__).parents[2]


def test_the_harness_reads_the_file_that_docker_compose_reads() -> None:
    read = CHECKOUT / "tidemark" / "targets" / "docker-compose.yml"

    assert read.is_symlink(), "a copy could differ"
    assert read.resolve() == CHECKOUT / "docker-compose.yml"


def test_its_variables_are_filled_in_as_compose_does() -> None:
    given = {
        "COMPOSE_PROJECT_NAME": "mine",
        "LOCALSTACK_AUTH_TOKEN": "a: #b",
        "LOCALSTACK_IMAGE": "",
    }

    described = describe(given)

    assert described.image == image_of({}) == "localstack/localstack:4.14.0"
    assert described.name == described.environment["MAIN_CONTAINER_NAME"] == "mine-localstack"
    assert described.labels == {"tidemark.project": "mine"}
    assert described.environment["LAMBDA_DOCKER_FLAGS"] == "-l tidemark.project=mine"
    assert described.environment["LOCALSTACK_AUTH_TOKEN"] == "a: #b"
    assert described.environment["SQS_ENDPOINT_STRATEGY"] == "path"
    assert described.mounts == [("/var/run/docker.sock", "/var/run/docker.sock")]
    assert (described.host_port, described.port, described.stops_within_s) == (4566, 4566, 20)


@pytest.mark.parametrize("port", ["many", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(RefusedError, match=r"LOCALSTACK_PORT is '.*': choose a port"):
        describe({"LOCALSTACK_PORT": port})
