"""The machines of a load run on Fargate: started in order, waited for, and never left running."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tidemark.deploy.fargate import Machines
from tidemark.errors import TidemarkError
from tidemark.host.deployment import Deployment

OUTPUTS = {
    "ClusterName": "cluster",
    "TaskDefinitionArn": "task-definition",
    "SubnetId": "subnet",
    "SecurityGroupId": "group",
    "RunsBucketName": "bucket",
}
DEPLOYMENT = Deployment(
    target="aws",
    endpoint=None,
    region="eu-west-1",
    stack_name="Tidemark",
    api_url="https://a1b2.execute-api.eu-west-1.amazonaws.com/v1",
    template_digest="",
    outputs={"RestApiId": "a1b2"},
)


@dataclass
class Ecs:
    """Runs tasks that go through the states it is told, one at each look."""

    states: list[dict[str, Any]]
    refuses: int | None = None
    keeps: str | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    started: int = 0

    def run_task(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if len(self.asked) - 1 == self.refuses:
            return {"tasks": [], "failures": [{"reason": "Capacity is unavailable"}]}
        first = self.started + 1
        self.started += asked["count"]
        return {"tasks": [{"taskArn": f"task-{n}"} for n in range(first, self.started + 1)]}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert (cluster, tasks) == ("cluster", ["task-1"])
        return {"tasks": [self.states.pop(0)]}

    def stop_task(self, *, cluster: str, task: str, reason: str) -> None:
        assert (cluster, reason) == ("cluster", "the run is over")
        if task == self.keeps:
            raise TidemarkError("Rate exceeded.")
        self.stopped.append(task)


@dataclass
class Clients:
    ecs: Ecs

    def client(self, service: str) -> Any:
        return getattr(self, service)


PENDING = {"lastStatus": "PENDING"}
ADDRESS = [
    {"details": [{"name": "subnetId", "value": "s"}]},
    {"details": [{"name": "privateIPv4Address", "value": "10.0.0.7"}]},
]
RUNNING = {"lastStatus": "RUNNING", "attachments": ADDRESS}


def stopped(code: int | None, reason: str = "Essential container in task exited") -> dict[str, Any]:
    container = {} if code is None else {"exitCode": code}
    return {"lastStatus": "STOPPED", "stoppedReason": reason, "containers": [container]}


def load(ecs: Ecs, workers: int = 2) -> int:
    machines = Machines(Clients(ecs), OUTPUTS, sleep=lambda _: None)  # type: ignore[arg-type]  # a client is all it takes
    return machines.load(DEPLOYMENT, "run-1", ["--arrivals", "mixed"], workers=workers, seconds=20)


def commands(ecs: Ecs) -> list[list[str]]:
    return [one["overrides"]["containerOverrides"][0]["command"] for one in ecs.asked]


@pytest.mark.parametrize("code", [0, 1, 3, 130])
def test_the_masters_exit_code_is_that_of_the_run(code: int) -> None:
    ecs = Ecs([PENDING, RUNNING, RUNNING, stopped(code)])
    assert load(ecs) == code
    assert ecs.stopped == ["task-1", "task-2", "task-3"]


def test_workers_are_started_for_a_master_that_runs_and_know_its_address() -> None:
    ecs = Ecs([PENDING, RUNNING, stopped(0)])
    load(ecs, workers=23)
    assert commands(ecs) == [
        ["master", "--expect-workers", "23", "--arrivals", "mixed"],
        *[["worker", "--master-host", "10.0.0.7"]] * 3,
    ]
    assert [one["count"] for one in ecs.asked] == [1, 10, 10, 3]


def test_a_task_knows_what_to_load_and_is_reached_by_its_group_alone() -> None:
    ecs = Ecs([RUNNING, stopped(0)])
    load(ecs)
    for asked in ecs.asked:
        [override] = asked["overrides"]["containerOverrides"]
        said = {one["name"]: one["value"] for one in override["environment"]}
        assert said["TIDEMARK_RUN"] == "run-1"
        assert json.loads(said["TIDEMARK_DEPLOYMENT_JSON"])["api_url"] == DEPLOYMENT.api_url
        assert asked["launchType"] == "FARGATE"
        assert asked["networkConfiguration"]["awsvpcConfiguration"] == {
            "subnets": ["subnet"], "securityGroups": ["group"], "assignPublicIp": "ENABLED"
        }  # fmt: skip


def test_a_master_that_never_runs_is_told_with_its_reason() -> None:
    ecs = Ecs([PENDING, stopped(None, "CannotPullContainerError: no such image.")])
    with pytest.raises(TidemarkError, match="did not start: CannotPullContainerError: no such"):
        load(ecs)
    assert ecs.stopped == ["task-1"]


def test_workers_that_do_not_start_end_the_master() -> None:
    ecs = Ecs([RUNNING], refuses=1)
    with pytest.raises(TidemarkError, match="Capacity is unavailable"):
        load(ecs)
    assert ecs.stopped == ["task-1"]


def test_a_master_that_was_ended_from_outside_has_no_exit_code_that_passes_for_one() -> None:
    ecs = Ecs([RUNNING, stopped(None, "OutOfMemoryError: Container killed")])
    with pytest.raises(TidemarkError, match="ended from outside: OutOfMemoryError"):
        load(ecs)
    assert ecs.stopped == ["task-1", "task-2", "task-3"]


def test_a_task_that_cannot_be_stopped_keeps_no_other_running() -> None:
    ecs = Ecs([RUNNING, stopped(0)], keeps="task-1")
    with pytest.raises(TidemarkError, match="Rate exceeded"):
        load(ecs)
    assert ecs.stopped == ["task-2", "task-3"]
