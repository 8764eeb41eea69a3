"""A stack like Tidemark's that moto can hold, and a CDK that needs neither Node nor a network."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from acceptance.aws.conftest import REGION
from tidemark.deploy import consent
from tidemark.deploy.bringup import BringUp
from tidemark.deploy.cdk import Cdk
from tidemark.deploy.outputs import REQUIRED_OUTPUTS
from tidemark.deploy.synthesis import App
from tidemark.host.processes import Children, Finished
from tidemark.host.progress import Steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tidemark.deploy.consent import Consent
    from tidemark.targets.base import Target

TABLES = {"CommandTable": "CommandTableName", "QueryTable": "QueryTableName"}
QUEUES = {"Queue": "QueueName", "DeadLetters": "DeadLetterQueueName"}


def template(retention: str = "destroy", comment: str = "") -> dict[str, Any]:
    """A template with the tables, the queues, and every output that the harness relies on."""
    table = {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": {"destroy": "Delete", "retain": "Retain"}[retention],
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        },
    }
    queue = {"Type": "AWS::SQS::Queue", "Properties": {}}
    resources = dict.fromkeys(TABLES, table) | dict.fromkeys(QUEUES, queue)
    outputs: dict[str, Any] = {name: {"Value": "some"} for name in REQUIRED_OUTPUTS}
    outputs |= {output: {"Value": {"Ref": name}} for name, output in TABLES.items()}
    outputs |= {
        output: {"Value": {"Fn::GetAtt": [name, "QueueName"]}} for name, output in QUEUES.items()
    }
    outputs |= {"RestApiId": {"Value": "a1b2"}, "ApiStage": {"Value": "v1"}}
    outputs["Wiring"] = {"Value": "queued"}
    return {"Description": comment or "small", "Resources": resources, "Outputs": outputs}


# Imports next to nothing, because it starts anew for every deploy.
APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
context = json.loads(os.environ["CDK_CONTEXT_JSON"])
template = pathlib.Path("stack", context.get("retention", "destroy") + ".json").read_text()
(out / "T.template.json").write_text(template)
stack = {"type": "aws:cloudformation:stack",
         "properties": {"templateFile": "T.template.json", "stackName": context["stack_name"]}}
(out / "manifest.json").write_text(json.dumps({"artifacts": {"T": stack}}))
"""


@dataclass(frozen=True)
class RecordingCdk(Cdk):
    """Notes what it was told, and does to moto's account what the CDK would do."""

    told: list[tuple[str, list[str]]] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, _ in self.told]

    def run(self, verb: str, arguments: list[str], *_: Any, **__: Any) -> Finished:
        self.told.append((verb, arguments))
        if verb in self.fails:
            return Finished(1, "❌ it failed")
        if verb == "bootstrap":
            self._change("CDKToolkit", {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}, {})
        if verb == "deploy":
            folder = Path(arguments[arguments.index("--app") + 1])
            [stack] = json.loads((folder / "manifest.json").read_text())["artifacts"].values()
            tags = [word for before, word in pairwise(arguments) if before == "--tags"]
            self._change(
                stack["properties"]["stackName"],
                json.loads((folder / stack["properties"]["templateFile"]).read_text()),
                dict(tag.split("=", 1) for tag in tags),
            )
        return Finished(0, "")

    def _run(self, verb: str, arguments: list[str], *_: Any, **__: Any) -> Finished:
        return self.run(verb, arguments)  # what is run without a connection

    def _change(self, name: str, content: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        cloudformation = boto3.client("cloudformation", region_name=REGION)
        known = {one["StackName"] for one in cloudformation.describe_stacks()["Stacks"]}
        change = cloudformation.update_stack if name in known else cloudformation.create_stack
        change(
            StackName=name,
            TemplateBody=json.dumps(content),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )


@dataclass
class Person:
    """Somebody who reads what is shown, and answers."""

    answer: bool = True
    read: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __call__(self, shown: Iterable[str], question: str) -> None:
        self.read.extend(shown)
        self.asked.append(question)
        if not self.answer:
            consent.nobody([], "")


def write_app(checkout: Path, comment: str = "") -> None:
    """Put the small stack's app into a checkout."""
    folder = checkout / "stack"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "app.py").write_text(APP)
    for retention in ("destroy", "retain"):
        (folder / f"{retention}.json").write_text(json.dumps(template(retention, comment)))


def bring_up(
    target: Target,
    checkout: Path,
    agree: Consent,
    *,
    tags: Mapping[str, str] | None = None,
    contexts: Mapping[str, str] | None = None,
    fails: Iterable[str] = (),
) -> BringUp:
    """One attempt to deploy the small stack."""
    state = target.options.state
    return BringUp(
        app=App(checkout, "Tidemark", contexts or {}),
        target=target,
        cdk=RecordingCdk(checkout, state, Children(), fails=list(fails)),
        state=state,
        steps=Steps(),
        tags=tags or {},
        agree=agree,
    )
