"""A load run on Fargate: its stack comes and goes with it, and the run's folder is here."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import tarfile
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.aws.conftest import ACCOUNT, REGION
from acceptance.aws.small_stack import Person, RecordingCdk, bring_up, write_app
from acceptance.program import CHECKOUT
from loadtest import container as entry
from tidemark import targets
from tidemark.cli import load_fargate
from tidemark.deploy.fargate import Machines
from tidemark.errors import TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from acceptance.aws.conftest import Run

OUTPUTS = ("ClusterName", "TaskDefinitionArn", "SubnetId", "SecurityGroupId")
TEMPLATE = {
    "Resources": {"Runs": {"Type": "AWS::S3::Bucket"}},
    "Outputs": {name: {"Value": name} for name in OUTPUTS}
    | {"RunsBucketName": {"Value": {"Ref": "Runs"}}},
}
APP = f"""
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
context = json.loads(os.environ["CDK_CONTEXT_JSON"])
loaded = json.loads(context["loaded"])
assert loaded["StackName"] == "Tidemark" and loaded["RestApiId"] == "a1b2"
(out / "T.template.json").write_text({json.dumps(json.dumps(TEMPLATE))})
stack = {{"type": "aws:cloudformation:stack",
         "properties": {{"templateFile": "T.template.json", "stackName": context["stack_name"]}}}}
(out / "manifest.json").write_text(json.dumps({{"artifacts": {{"T": stack}}}}))
"""


def packed(run_id: str) -> bytes:
    """A run's folder, as a master packs it."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        about = tarfile.TarInfo(f"{run_id}/summary.md")
        about.size = len(text := b"**holds**")
        archive.addfile(about, io.BytesIO(text))
    return whole.getvalue()


@pytest.fixture
def loads(
    account: boto3.Session, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Any]:
    """A stack on AWS, and machines that end as the list says, having put their run's folder."""
    write_app(checkout)
    aws = targets.create("aws", TargetOptions(state=tmp_path / "state"))
    list(bring_up(aws, checkout, Person()).deploy())
    (checkout / "stack/load_stack.py").write_text(APP)
    (checkout / "loadtest").symlink_to(CHECKOUT / "loadtest")
    monkeypatch.setattr(load_fargate, "Cdk", RecordingCdk)
    ends: list[Any] = [0]

    def load(self: Machines, deployment: Deployment, run_id: str, *_: Any, **__: Any) -> int:
        assert deployment.stack_name == "Tidemark"
        if isinstance(ends[0], BaseException):
            raise ends[0]
        bucket = account.client("s3")
        bucket.put_object(
            Bucket=self.outputs["RunsBucketName"], Key=f"{run_id}.tar.gz", Body=packed(run_id)
        )
        return int(ends[0])

    monkeypatch.setattr(Machines, "load", load)
    return ends


def stacks(account: boto3.Session) -> set[str]:
    found = account.client("cloudformation").describe_stacks()["Stacks"]
    return {one["StackName"] for one in found}


def start(run: Run, *more: str) -> Any:
    return run("load", "--target", "aws", "--on", "fargate", "--duration", "20s", *more)


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_run_is_here_nothing_is_left_there_and_its_code_is_the_masters(
    loads: list[Any], account: boto3.Session, run: Run, tmp_path: Path, code: int
) -> None:
    loads[0] = code
    ended = start(run, "--workers", "3", "--yes")
    assert ended.exit_code == code, ended.stderr
    assert "Estimated cost: at most about $" in ended.stderr
    assert "a stack Tidemark-Load for 4 tasks" in ended.stderr
    assert "**holds**" in ended.stdout
    [folder] = (tmp_path / "state/runs").iterdir()
    assert (folder / "summary.md").read_text() == "**holds**"
    assert stacks(account) == {"CDKToolkit", "Tidemark"}
    buckets = account.client("s3").list_buckets()["Buckets"]
    assert not [one for one in buckets if one["Name"].startswith("tidemark-load")]


@pytest.mark.parametrize("failure", [TidemarkError("It ended."), KeyboardInterrupt()])
def test_machines_that_fail_go_all_the_same(
    loads: list[Any], account: boto3.Session, run: Run, failure: BaseException
) -> None:
    loads[0] = failure
    ended = start(run, "--yes")
    assert ended.exit_code == (70 if isinstance(failure, TidemarkError) else 130)
    assert stacks(account) == {"CDKToolkit", "Tidemark"}


def test_nobody_is_there_to_agree_and_nothing_is_made(
    loads: list[Any], account: boto3.Session, run: Run
) -> None:
    del loads[:]
    ended = start(run)
    assert ended.exit_code == 64
    assert "say --yes" in ended.sentence
    assert stacks(account) == {"CDKToolkit", "Tidemark"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--on", "moon"], "machines are on fargate"),
        (["--on", "fargate", "--workers", "0"], "--workers must be 1 to 50"),
    ],
)
def test_what_cannot_be_is_refused(loads: list[Any], run: Run, words: list[str], said: str) -> None:
    del loads[:]
    ended = run("load", "--target", "aws", *words, "--yes")
    assert (ended.exit_code, said in ended.sentence) == (64, True)


def test_a_task_runs_locust_and_puts_the_runs_folder_into_the_bucket(
    account: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    account.client("s3").create_bucket(Bucket="runs", **place)
    said = {"account": ACCOUNT, "region": REGION}
    deployment = Deployment("aws", None, REGION, "Tidemark", "https://x", "", {}, said)
    locust = (
        "import os, pathlib, sys; "
        "p = pathlib.Path(os.environ['TIDEMARK_STATE_DIR'], 'runs', os.environ['TIDEMARK_RUN']); "
        "p.mkdir(parents=True); "
        "(p / 'told').write_text(' '.join(sys.argv[1:])); "
        "assert 'a1b2' not in os.environ['TIDEMARK_DEPLOYMENT']; sys.exit(3)"
    )
    monkeypatch.setattr(entry, "_LOCUST", (sys.executable, "-c", locust))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for name in ("TIDEMARK_DEPLOYMENT", "TIDEMARK_STATE_DIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("TIDEMARK_DEPLOYMENT_JSON", json.dumps(asdict(deployment)))
    monkeypatch.setenv("TIDEMARK_RUN", "run-1")
    monkeypatch.setenv("RUNS_BUCKET", "runs")

    assert entry.main(["master", "--expect-workers", "2"]) == 3

    body = account.client("s3").get_object(Bucket="runs", Key="run-1.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        archive.extractall(tmp_path, filter="data")
    assert (tmp_path / "run-1/told").read_text() == "--master --expect-workers 2"
    assert os.environ["TIDEMARK_STATE_DIR"]
