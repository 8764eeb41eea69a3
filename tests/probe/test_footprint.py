"""What a probe would make is shown before it is made, and no row makes anything else."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest

from tests.probe.asking import row
from tidemark.probe import rows
from tidemark.probe.footprint import what_is_made
from tidemark.probe.row import Topic

# How a row's source shows that it makes something.
MAKING = {
    "APIs": r"rest_api\.(deploy|bare)\(",
    "alarms": r"put_metric_alarm\(",
    "functions": r"bench\.function\(",
    "log groups": r"create_log_group\(",
    "metrics": r"put_metric_data\(",
    "queues": r"bench\.queue\(",
    "roles": r"create_role\(",
    "rules": r"put_rule\(",
    "stacks": r"bench\.stack\(|rest_api\.deploy\(",
    "tables": r"bench\.table\(",
    "topics": r"bench\.topic\(",
}
MODULES = [one.name for one in pkgutil.iter_modules(rows.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_a_topic_names_all_that_its_rows_make_and_nothing_else(name: str) -> None:
    module = importlib.import_module(f"{rows.__name__}.{name}")
    source = inspect.getsource(module)
    topic = module.topic
    assert isinstance(topic, Topic)

    made = {kind for kind, pattern in MAKING.items() if re.search(pattern, source)}

    assert set(topic.makes) == made


def _made(*makes: tuple[str, ...]) -> list[str]:
    return list(what_is_made([row(str(number), makes=one) for number, one in enumerate(makes)]))


def test_only_what_the_rows_make_is_named_and_that_it_is_removed() -> None:
    lines = _made(("queues", "topics"), (), ("topics", "alarms"))

    assert "named tidemark-probe-…" in lines[0]
    assert [line.strip() for line in lines if line.startswith("  ")] == [
        "queues",
        "topics",
        "alarms",
    ]
    assert "Each is removed as soon as its row has ended" in lines[-2]


def test_what_comes_with_a_thing_and_what_stays_of_it_is_named() -> None:
    said = "\n".join(_made(("functions", "metrics")))

    assert "functions with their log groups, and a role" in said
    assert "CloudWatch forgets them after 15 months" in said
