"""The CDK app: ``python -m stack.app`` synthesises it.

Context (``-c name=value``): ``stack_name``, ``wiring``, ``arch``, ``retention``.
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
# The CDK command line adds metadata to a template unless it is told not to. The same template must
# come out whoever synthesises, so it is told here, where nothing can override it.
FIXED_CONTEXT = {
    "aws:cdk:enable-path-metadata": False,
    "aws:cdk:enable-asset-metadata": False,
    "aws:cdk:version-reporting": False,
    "aws:cdk:disable-stack-trace": True,
}


def chosen(app: App) -> Choices:
    """Returns what the context chooses; what it leaves open takes its default."""
    context = {
        "wiring": app.node.try_get_context("wiring"),
        "architecture": app.node.try_get_context("arch"),
        "retention": app.node.try_get_context("retention"),
    }
    return Choices(**{name: value for name, value in context.items() if value is not None})


def main() -> None:
    """Synthesises the stack into the folder that the CDK command line names."""
    app = App(post_cli_context=FIXED_CONTEXT, analytics_reporting=False, tree_metadata=False)
    with tempfile.TemporaryDirectory() as folder:
        code = lambda_.Code.from_asset(str(asset.build(Path(folder) / "functions.zip")))
        CqrsStack(
            app,
            STACK_ID,
            stack_name=app.node.try_get_context("stack_name") or STACK_ID,
            code=code,
            choices=chosen(app),
        )
        app.synth()


if __name__ == "__main__":
    main()
