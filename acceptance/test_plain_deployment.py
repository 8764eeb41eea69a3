"""The plain template, deployed to an account that never saw ``cdk bootstrap``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stack import template as plain
from stack.cqrs_stack import Choices
from tidemark.aws.clients import AwsClients
from tidemark.aws.stacks import TOOLKIT_STACK, describe, live_digest
from tidemark.deploy import first_deposit
from tidemark.host.deployment import Deployment
from tidemark.host.waiting import NotYetError, eventually
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.aws.stacks import LiveStack

BUCKET = "somebodys-code"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTarget]:
    embedded = EmbeddedTarget(TargetOptions(state=tmp_path_factory.mktemp("state")))
    embedded.start()
    yield embedded
    embedded.stop()


@pytest.mark.parametrize("wiring", ["queued", "direct"])
def test_the_plain_template_deploys_without_bootstrap_and_works(
    target: EmbeddedTarget, tmp_path: Path, wiring: str
) -> None:
    connection = target.find()
    assert connection is not None
    clients = AwsClients(connection)
    plain.write(tmp_path, choices=Choices(wiring=wiring))
    s3 = clients.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    key = f"{wiring}.zip"
    s3.upload_file(str(tmp_path / "functions.zip"), BUCKET, key)
    # Beyond 51,200 bytes, CloudFormation wants a template from a bucket.
    s3.upload_file(str(tmp_path / "template.json"), BUCKET, "template.json")
    clients.cloudformation.create_stack(
        StackName=wiring,
        TemplateURL=f"{connection.endpoint}/{BUCKET}/template.json",
        Parameters=[
            {"ParameterKey": "CodeBucket", "ParameterValue": BUCKET},
            {"ParameterKey": "CodeKey", "ParameterValue": key},
        ],
        Capabilities=["CAPABILITY_IAM"],
    )

    def probe() -> LiveStack:
        found = describe(clients, wiring)
        if found is None or not found.is_settled:
            raise NotYetError(f"its status is {found and found.status}")
        return found

    stack = eventually(probe, within_s=60, what=f"the stack {wiring} to be deployed")
    assert describe(clients, TOOLKIT_STACK) is None
    deployment = Deployment(
        target=target.name,
        endpoint=connection.endpoint,
        region=connection.region,
        stack_name=wiring,
        api_url=target.api_url(connection, stack.outputs["RestApiId"], stack.outputs["ApiStage"]),
        template_digest=live_digest(clients, wiring),
        outputs=stack.outputs,
    )
    seen = first_deposit.make(deployment, clients)
    assert seen.balance > 0
    assert deployment.wiring == wiring
