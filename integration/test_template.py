"""What is deployed is what was synthesised, and the plain template deploys without the CDK."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import clean_environment
from tidemark.aws.stacks import template_digest
from tidemark.deploy import first_deposit
from tidemark.deploy.outputs import REQUIRED_OUTPUTS
from tidemark.host.deployment import Deployment
from tidemark.host.waiting import NotYetError, eventually
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.site import Site
    from tidemark.testing.testbed import Testbed

_CREATED_WITHIN_S = 60.0


def test_the_deployed_template_is_the_synthesised_one(testbed: Testbed, site: Site) -> None:
    synthesised = testbed.synthesised(site.deployment)

    body: Any = site.aws.cloudformation.get_template(
        StackName=site.deployment.stack_name, TemplateStage="Original"
    )["TemplateBody"]

    deployed = json.loads(body) if isinstance(body, str) else body
    assert deployed == synthesised.template
    assert site.deployment.template_digest == template_digest(deployed)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[EmbeddedTarget]:
    """An embedded target of its own, which nobody bootstrapped."""
    target = EmbeddedTarget(TargetOptions(state=tmp_path / "state"))
    target.start()
    yield target
    target.stop()


def test_the_plain_template_deploys_without_a_bootstrap_and_works(
    testbed: Testbed, fresh: EmbeddedTarget, tmp_path: Path
) -> None:
    connection = fresh.start()
    clients = AwsClients(connection)
    assert stacks.describe(clients, stacks.TOOLKIT_STACK) is None
    subprocess.run(
        [sys.executable, "-m", "stack.template", "--folder", tmp_path / "template"],
        cwd=testbed.plan.checkout,
        env=clean_environment(),
        check=True,
    )
    s3 = clients.client("s3")
    s3.create_bucket(Bucket="code")
    for name in ("template.json", "functions.zip"):
        s3.upload_file(str(tmp_path / "template" / name), "code", name)

    clients.cloudformation.create_stack(
        StackName="Plain",
        TemplateURL=f"{connection.endpoint}/code/template.json",
        Parameters=[
            {"ParameterKey": "CodeBucket", "ParameterValue": "code"},
            {"ParameterKey": "CodeKey", "ParameterValue": "functions.zip"},
        ],
        Capabilities=["CAPABILITY_IAM"],
    )

    def probe() -> stacks.LiveStack:
        live = stacks.describe(clients, "Plain")
        if live is None or not live.is_settled:
            raise NotYetError(stacks.failure(clients.cloudformation, "Plain") or str(live))
        return live

    live = eventually(probe, within_s=_CREATED_WITHIN_S, what="the plain stack")
    assert set(REQUIRED_OUTPUTS) <= set(live.outputs)
    deployment = Deployment(
        target=fresh.name,
        endpoint=connection.endpoint,
        region=connection.region,
        stack_name="Plain",
        api_url=fresh.api_url(connection, live.outputs["RestApiId"], live.outputs["ApiStage"]),
        template_digest="",
        outputs=live.outputs,
    )
    assert first_deposit.make(deployment, clients).balance > 0
