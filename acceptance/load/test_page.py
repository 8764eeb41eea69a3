"""Locust's page while it waits for somebody to start a run: who may ask it, and for what."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from acceptance.load.processes import CHECKOUT, deployed, started
from tests.api.servers import served
from tests.load.fake_bank import FakeBank
from tidemark.host import ports
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN = {"user_count": "2", "spawn_rate": "5"}
MORE_THAN_MAY_START = """
from argparse import Namespace
from types import SimpleNamespace
from rich.console import Console
from loadtest.runs import hold_bounds
import loadtest.runs

loadtest.runs.problem_with = lambda asked: "too many" if asked.num_users > 3 else None
begun = []
runner = SimpleNamespace(start=lambda users, rate, **_: begun.append(users))
hold_bounds(runner, Namespace(run_time=1), Console())
for users in (3, 4):
    runner.start(users, 100)
print(begun)
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The page of a process whose command line says two seconds."""
    state, port = tmp_path_factory.mktemp("state"), ports.choose(None)
    with served(FakeBank().answer) as url:
        deployed(url, state)
        with started(state, "--web-port", str(port), "--run-time", "2") as process:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                eventually(lambda: answers(client), within_s=30, what="the page")
                yield client
            process.kill()


@pytest.fixture(autouse=True)
def _none_is_left() -> None:
    """The process of the module stays."""


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/").status_code == 200
    except httpx.TransportError:
        return False


def state_of(page: httpx.Client) -> Any:
    return page.get("/stats/requests").json()["state"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://page.example"},
        {"Origin": "null"},
        {"Host": "rebound.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/tide/readings"),
        ("POST", "/swarm"),
        ("POST", "/stop"),
        ("OPTIONS", "/swarm"),
    ],
)
def test_a_page_of_elsewhere_is_refused(
    page: httpx.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = page.request(method, path, headers=headers, data=WITHIN)

    assert answer.status_code == 403
    assert state_of(page) == "ready"


def test_no_page_is_invited(page: httpx.Client) -> None:
    answer = page.get("/stats/requests", headers={"Origin": "http://localhost:3000"})

    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"user_count": "400"}, "--users must be 1 to 200."),
        ({"user_count": "0"}, "--users must be 1 to 200."),
        ({"spawn_rate": "10000"}, "--spawn-rate must be"),
        ({"spawn_rate": "nan"}, "--spawn-rate must be"),
        ({"run_time": "9h"}, "--run-time must be 1 to 3600 s."),
        ({"max_ops": "0"}, "--max-ops must be"),
        ({"check": "never"}, "--check must be"),
        ({"host": "http://elsewhere.example"}, "leave --host away"),
        ({"user_count": "many"}, "'many' is no user_count."),
    ],
)
def test_what_the_command_line_may_not_ask_for_the_page_may_not(
    page: httpx.Client, changed: dict[str, str], says: str
) -> None:
    answer = page.post("/swarm", data=WITHIN | changed).json()

    assert answer["success"] is False
    assert says in answer["message"]
    assert state_of(page) == "ready"


def test_a_run_for_which_the_page_names_no_time_ends_when_the_command_line_says(
    page: httpx.Client,
) -> None:
    assert page.post("/swarm", data=WITHIN | {"run_time": ""}).json()["success"] is True
    eventually(lambda: state_of(page) == "stopped", within_s=20, what="its end")


def test_nobody_starts_more_than_may_be_by_pressing_keys() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", MORE_THAN_MAY_START],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout.splitlines() == ["too many", "[3]"]
