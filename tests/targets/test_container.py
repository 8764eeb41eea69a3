"""LocalStack by testcontainers is told what LocalStack by compose is told."""

from __future__ import annotations

from pathlib import Path

import yaml

from tidemark.targets.container import SETTINGS

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"
# What differs by who starts it.
OWN = {"LAMBDA_DOCKER_FLAGS", "LOCALSTACK_AUTH_TOKEN", "MAIN_CONTAINER_NAME"}


def test_both_ways_to_start_localstack_have_the_same_settings() -> None:
    compose = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    told = compose["services"]["localstack"]["environment"]

    assert {name: value for name, value in told.items() if name not in OWN} == SETTINGS
    assert told.keys() >= OWN
