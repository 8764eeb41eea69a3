"""The machines of a load run on AWS: tasks on Fargate, from the first to the run's folder here."""

from __future__ import annotations

import io
import json
import tarfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

VCPUS, MEMORY_GB = 1.0, 2.0
"""What each task has."""

BESIDES_S = 300.0
"""About how long it has them beside the time in which calls arrive."""

MOST_WORKERS = 50
_AT_ONCE = 10  # how many tasks one call starts
_RUNNING_WITHIN_S = 300.0
# After the calls: the way to the query side, the judge, and the folder's way into the bucket.
_ENDED_WITHIN_S = 900.0
_LOOK_EVERY_S = 5.0


def stack_name(deployment: Deployment) -> str:
    """What the stack of the machines that load a deployment is called."""
    return f"{deployment.stack_name}-Load"


@dataclass(frozen=True)
class Machines:
    """A deployed stack of machines.

    Attributes:
        clients: Those of its account.
        outputs: Its outputs.
        sleep: Waits so many seconds.
    """

    clients: AwsClients
    outputs: Mapping[str, str]
    sleep: Callable[[float], None] = time.sleep

    def load(
        self,
        deployment: Deployment,
        run_id: str,
        arguments: Sequence[str],
        *,
        workers: int,
        seconds: float,
    ) -> int:
        """Start a master and its workers, and wait for the master's end; none is left running.

        Args:
            deployment: What is loaded.
            run_id: The run's name.
            arguments: What Locust is told.
            workers: How many workers there are.
            seconds: How long calls arrive.

        Returns:
            The master's exit code.

        Raises:
            TidemarkError: A task did not start, or the master had no exit code of its own.
        """
        environment = {
            "TIDEMARK_DEPLOYMENT_JSON": json.dumps(asdict(deployment)),
            "TIDEMARK_RUN": run_id,
        }
        started: list[str] = []
        try:
            told = ["master", "--expect-workers", str(workers), *arguments]
            [master] = self._start(told, environment, 1, started)
            host = self._await_address(master)
            self._start(["worker", "--master-host", host], environment, workers, started)
            return self._await_end(master, _ENDED_WITHIN_S + seconds)
        finally:
            with ExitStack() as stopping:  # each, whatever becomes of the others
                for task in reversed(started):
                    stopping.callback(
                        self._ecs.stop_task,
                        cluster=self._cluster,
                        task=task,
                        reason="the run is over",
                    )

    def fetch(self, run_id: str, runs: Path) -> Path:
        """Bring the run's folder here.

        Args:
            run_id: The run's name.
            runs: The folder of all runs' folders.

        Raises:
            TidemarkError: The master put none into the bucket.
        """
        s3, packed = self.clients.client("s3"), io.BytesIO()
        try:
            s3.download_fileobj(self._bucket, f"{run_id}.tar.gz", packed)
        except s3.exceptions.ClientError as error:
            raise TidemarkError(
                f"The run's folder is not in the bucket {self._bucket}: the master ended before it "
                "could put it there."
            ) from error
        packed.seek(0)
        runs.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=packed) as archive:
            archive.extractall(runs, filter="data")
        return runs / run_id

    def empty(self) -> None:
        """Delete what is in the bucket, so that the stack can be deleted."""
        s3 = self.clients.client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
            for one in page.get("Contents", []):
                s3.delete_object(Bucket=self._bucket, Key=one["Key"])

    @property
    def _ecs(self) -> Any:
        return self.clients.client("ecs")

    @property
    def _cluster(self) -> str:
        return self.outputs["ClusterName"]

    @property
    def _bucket(self) -> str:
        return self.outputs["RunsBucketName"]

    def _start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        many: int,
        started: list[str],
    ) -> list[str]:
        before = len(started)
        override = {
            "name": "locust",
            "command": list(command),
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
        }
        network = {
            "subnets": [self.outputs["SubnetId"]],
            "securityGroups": [self.outputs["SecurityGroupId"]],
            "assignPublicIp": "ENABLED",
        }
        for count in _portions(many):
            answer = self._ecs.run_task(
                cluster=self._cluster,
                taskDefinition=self.outputs["TaskDefinitionArn"],
                launchType="FARGATE",
                count=count,
                overrides={"containerOverrides": [override]},
                networkConfiguration={"awsvpcConfiguration": network},
            )
            started += [one["taskArn"] for one in answer["tasks"]]
            if failures := answer.get("failures"):
                why = failures[0].get("reason", "it says no more")
                raise TidemarkError(f"Fargate did not start a task: {why}.")
        return started[before:]

    def _await_address(self, task: str) -> str:
        def probe() -> str:
            found = self._describe(task)
            if found["lastStatus"] == "STOPPED":
                raise TidemarkError(f"The master did not start: {_why(found)}.")
            if found["lastStatus"] != "RUNNING":
                raise NotYetError(found["lastStatus"])
            details = (d for one in found["attachments"] for d in one["details"])
            return next(str(d["value"]) for d in details if d["name"] == "privateIPv4Address")

        return str(self._eventually(probe, _RUNNING_WITHIN_S, "the master to run"))

    def _await_end(self, task: str, within_s: float) -> int:
        def probe() -> int:
            found = self._describe(task)
            if found["lastStatus"] != "STOPPED":
                raise NotYetError(found["lastStatus"])
            code = found["containers"][0].get("exitCode")
            if code is None:
                raise TidemarkError(f"The master was ended from outside: {_why(found)}.")
            return int(code)

        return int(self._eventually(probe, within_s, "the master to end"))

    def _eventually(self, probe: Callable[[], Any], within_s: float, what: str) -> Any:
        try:
            return eventually(
                probe, within_s=within_s, what=what, sleep=lambda _: self.sleep(_LOOK_EVERY_S)
            )
        except NotSeenError as not_seen:
            raise TidemarkError(str(not_seen)) from not_seen

    def _describe(self, task: str) -> Mapping[str, Any]:
        [found] = self._ecs.describe_tasks(cluster=self._cluster, tasks=[task])["tasks"]
        described: Mapping[str, Any] = found
        return described


def _portions(many: int) -> Iterator[int]:
    while many > 0:
        yield min(many, _AT_ONCE)
        many -= _AT_ONCE


def _why(task: Mapping[str, Any]) -> str:
    reasons = [one.get("reason") for one in task.get("containers", [])]
    said = [one for one in (task.get("stoppedReason"), *reasons) if one]
    return "; ".join(said).rstrip(".") or "Fargate says no more"
