"""A checkout whose app synthesises a stack that cannot be created."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from acceptance.program import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

# Creating it fails at the second resource.
TEMPLATE = json.dumps(
    {
        "Resources": {
            "Healthy": {"Type": "AWS::SQS::Queue"},
            "Broken": {
                "Type": "AWS::IAM::Policy",
                "DependsOn": "Healthy",
                "Properties": {
                    "PolicyName": "p",
                    "Roles": ["no-such-role"],
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": []},
                },
            },
        }
    }
)

# What the CDK would write, without the seconds that it takes.
_APP = f"""
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
name = json.loads(os.environ["CDK_CONTEXT_JSON"])["stack_name"]
(out / "T.template.json").write_text({TEMPLATE!r})
stack = {{"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
          "properties": {{"templateFile": "T.template.json", "stackName": name}}}}
(out / "manifest.json").write_text(json.dumps({{"version": "50.0.0", "artifacts": {{"T": stack}}}}))
"""


def broken_checkout(folder: Path) -> Path:
    """Make such a checkout in a folder."""
    checkout = folder / "checkout"
    (checkout / "stack").mkdir(parents=True)
    (checkout / "node_modules").symlink_to(CHECKOUT / "node_modules")
    (checkout / "cdk.json").write_text("{}")
    (checkout / "stack" / "__init__.py").touch()
    (checkout / "stack" / "app.py").write_text(_APP)
    return checkout
