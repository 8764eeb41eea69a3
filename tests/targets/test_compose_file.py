"""What LocalStack is started with is said once, for people and for the harness."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidemark.errors import NotStartedError
from tidemark.targets.compose_file import image_of, read, usual_port

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

    service = read(given)

    environment = service["environment"]
    assert service["image"] == image_of({}) == "localstack/localstack:4.14.0"
    assert service["container_name"] == environment["MAIN_CONTAINER_NAME"] == "mine-localstack"
    assert service["labels"] == {"tidemark.project": "mine"}
    assert environment["LAMBDA_DOCKER_FLAGS"] == "-l tidemark.project=mine"
    assert environment["LOCALSTACK_AUTH_TOKEN"] == "a: #b"
    assert environment["SQS_ENDPOINT_STRATEGY"] == "path"
    assert service["volumes"] == ["/var/run/docker.sock:/var/run/docker.sock"]
    assert usual_port({"LOCALSTACK_PORT": "4599"}) == usual_port({}) + 33


@pytest.mark.parametrize("port", ["many", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(NotStartedError, match=r"LOCALSTACK_PORT is '.*': choose a port"):
        usual_port({"LOCALSTACK_PORT": port})
