"""A second CDK app: the same stack, whose functions log every AWS call that they make.

`pytest integration --tidemark-app "python -m integration.recording_app"` runs all tests on it.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from integration import call_log
from stack import asset
from stack.app import STACK_ID, new_app
from stack.cqrs_stack import Choices, CqrsStack

# The date that all entries of the asset have.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    """Synthesises the stack with wrapped handlers into the folder that the CDK names."""
    app = new_app()
    wiring = app.node.try_get_context("wiring") or Choices.wiring
    with tempfile.TemporaryDirectory() as folder:
        archive = asset.build(Path(folder) / "functions.zip")
        with zipfile.ZipFile(archive, "a") as opened:
            entry = zipfile.ZipInfo("call_log.py", _EPOCH)
            opened.writestr(entry, Path(call_log.__file__).read_bytes())
        stack = CqrsStack(
            app,
            STACK_ID,
            code=lambda _: lambda_.Code.from_asset(str(archive)),
            choices=Choices(wiring=wiring),
            stack_name=app.node.try_get_context("stack_name") or STACK_ID,
        )
    for construct in stack.node.find_all():
        if isinstance(construct, lambda_.CfnFunction):
            variable = f"Environment.Variables.{call_log.WRAPPED_HANDLER}"
            construct.add_property_override(variable, construct.handler)
            construct.handler = "call_log.handle"
    app.synth()


if __name__ == "__main__":
    main()
