"""Writes a plain CloudFormation template: ``python -m stack.template``.

``template.json`` and ``functions.zip`` deploy to an account that never saw ``cdk bootstrap``: put
the zip into a bucket and name it by the parameters CodeBucket and CodeKey. The resources are those
that the CDK deploys.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import CfnParameter, DefaultStackSynthesizer
from aws_cdk import aws_lambda as lambda_

from stack import asset
from stack.app import STACK_ID, new_app
from stack.cqrs_stack import ARCHITECTURES, RETENTIONS, Choices, CqrsStack
from stack.messaging import WIRINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

FOLDER = Path("build") / "template"


def write(folder: Path, *, choices: Choices) -> None:
    """Writes ``template.json`` and ``functions.zip``.

    Args:
        folder: Where to; it is made if need be.
        choices: What the user chose.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as outdir:
        app = new_app(Path(outdir))
        stack = CqrsStack(
            app,
            STACK_ID,
            code=_code_in_a_named_bucket,
            choices=choices,
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        app.synth()
        shutil.copyfile(Path(outdir) / stack.template_file, folder / "template.json")
    asset.build(folder / "functions.zip")


def _code_in_a_named_bucket(stack: Construct) -> lambda_.Code:
    """Returns the code that whoever deploys the template has put somewhere."""
    bucket = CfnParameter(
        stack, "CodeBucket", description="The bucket that functions.zip was put into."
    )
    key = CfnParameter(
        stack,
        "CodeKey",
        description="The key of functions.zip there; changed code is noticed by a changed key.",
    )
    return lambda_.Code.from_cfn_parameters(bucket_name_param=bucket, object_key_param=key)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes what the command line asks for and says where it is."""
    parser = argparse.ArgumentParser(
        prog="python -m stack.template", description="Write a plain CloudFormation template."
    )
    parser.add_argument("--wiring", choices=WIRINGS, default=Choices.wiring)
    parser.add_argument("--arch", choices=ARCHITECTURES, default=Choices.architecture)
    parser.add_argument("--retention", choices=RETENTIONS, default=Choices.retention)
    parser.add_argument("--alarm-topic-arn", help="the SNS topic that is told of alarms")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    chosen = parser.parse_args(arguments)
    write(
        chosen.folder,
        choices=Choices(
            wiring=chosen.wiring,
            architecture=chosen.arch,
            retention=chosen.retention,
            alarm_topic_arn=chosen.alarm_topic_arn,
        ),
    )
    print(f"{chosen.folder}/template.json and {chosen.folder}/functions.zip")  # noqa: T201  its answer


if __name__ == "__main__":
    main()
