"""The CDK app: ``python -m stack.app`` synthesises it.

Context (``-c name=value``): ``stack_name``, ``wiring``, ``arch``, ``retention``,
``alarm_topic_arn``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_lambda as lambda_

from stack import asset
from stack.cqrs_stack import Choices, CqrsStack

# The same whatever the stack is called, because the CDK builds it into some logical ids: stacks of
# different names have the same template.
STACK_ID = "Tidemark"

CONTEXTS = {
    "wiring": "wiring",
    "architecture": "arch",
    "retention": "retention",
    "alarm_topic_arn": "alarm_topic_arn",
}
"""The contexts by the choices that they make."""

# The CDK command line adds metadata to a template unless it is told not to. The same template must
# come out whoever synthesises, so it is told here, where nothing overrides it.
_FIXED_CONTEXT = {
    "aws:cdk:enable-path-metadata": False,
    "aws:cdk:enable-asset-metadata": False,
    "aws:cdk:disable-stack-trace": True,
}


def new_app(outdir: Path | None = None) -> App:
    """Returns an empty app that synthesises the same bytes for everyone.

    Args:
        outdir: Where it synthesises to; without one, where the CDK command line says.
    """
    return App(
        outdir=None if outdir is None else str(outdir),
        post_cli_context=_FIXED_CONTEXT,
        analytics_reporting=False,
        tree_metadata=False,
    )


def add_stack(app: App, *, stack_name: str = STACK_ID, choices: Choices) -> CqrsStack:
    """Adds the stack to an app, with its code as an asset of the CDK.

    Args:
        app: The app.
        stack_name: What the stack is called where it is deployed.
        choices: What the user chose.
    """
    with tempfile.TemporaryDirectory() as folder:
        archive = asset.build(Path(folder) / "functions.zip")
        # The CDK takes its copy while the stack is declared.
        return CqrsStack(
            app,
            STACK_ID,
            code=lambda _: lambda_.Code.from_asset(str(archive)),
            choices=choices,
            stack_name=stack_name,
        )


def main() -> None:
    """Synthesises what the context asks for into the folder that the CDK command line names."""
    app = new_app()
    context = {name: app.node.try_get_context(key) for name, key in CONTEXTS.items()}
    add_stack(
        app,
        stack_name=app.node.try_get_context("stack_name") or STACK_ID,
        choices=Choices(**{name: value for name, value in context.items() if value is not None}),
    )
    app.synth()


if __name__ == "__main__":
    main()
