"""What the CDK's custom resources count on and an emulator may lack.

AWS's runtimes for Node.js bring the AWS SDK for JavaScript, and a bucket has the tags that its
template gives it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tidemark.aws.connection import clean_environment
from tidemark.deploy.cdk import last_words
from tidemark.errors import TidemarkError
from tidemark.host.node import npm, tool_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.deploy.assembly import Assembly, SynthesisedStack
    from tidemark.deploy.cdk import Cdk
    from tidemark.host.progress import Steps

_SCRIPTS = {".cjs", ".js", ".mjs"}
_IMPORTED = re.compile(r"""(?:require\(|from|import\(?)\s*["'`](@aws-sdk/[a-z0-9-]+)""")
_EMPTIED = "aws-cdk:auto-delete-objects"
_OPTIONS = (
    *("--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"),
    # By itself it takes more than a minute to give up where there is no network.
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000"),
    "--prefix",
)
_REASON = re.compile(r"^npm error (.*(?: - |: ).+)$", re.MULTILINE)
_CALLED = re.compile(r'\\"service\\":\\"([A-Za-z0-9-]+)\\"')


def packages_of(assembly: Assembly) -> list[str]:
    """The packages of the SDK that an app's functions import."""
    resources = [one for stack in assembly.stacks for one in _resources(stack).values()]
    codes = [*_assets(assembly.folder), *map(_inline, resources)]
    found = {package for code in codes for package in _IMPORTED.findall(code)}
    for resource in resources:
        if resource["Type"] == "Custom::AWS":
            # What it calls is text in its properties; its function imports that.
            services = _CALLED.findall(json.dumps(resource["Properties"]))
            found |= {_package_of(service, codes) for service in services}
    return sorted(found)


def bring_sdk(assembly: Assembly, into: Path, cdk: Cdk, steps: Steps) -> None:
    """Bring the packages that an app's functions import, and that are not there yet.

    Args:
        assembly: The app.
        into: The `node_modules` in which functions find what is not their own.
        cdk: Knows the project; what its own `node_modules` has is taken from there.
        steps: Shows progress.

    Raises:
        TidemarkError: npm cannot install them.
    """
    wanted = packages_of(assembly)
    if _has(into, wanted):
        return
    theirs, scope = cdk.checkout / "node_modules", into / "@aws-sdk"
    into.mkdir(parents=True, exist_ok=True)
    if scope.is_symlink():
        scope.unlink()  # npm would install into the project through it
    if _has(theirs, wanted) and not scope.exists():
        scope.symlink_to(theirs / "@aws-sdk")
        return
    with steps.step("npm has the AWS SDK that functions in Node.js import"):
        finished = cdk.children.run(
            [*npm(), "install", *_OPTIONS, into.parent, *(f"{one}@3" for one in wanted)],
            env={**clean_environment(), "PATH": tool_path()},
            cwd=into.parent,
            log=(log := cdk.log_of("npm")),
        )
        if finished.exit_code != 0:
            names = " ".join(wanted)
            reason = _REASON.search(finished.output)
            raise TidemarkError(
                f"Functions in Node.js import {names}, which AWS's runtime brings and this target "
                f"does not, and npm cannot install it: "
                f"{reason[1] if reason else last_words(finished.output)} (all of it: {log}). Run "
                f"`npm install {names}` in {cdk.checkout}, from where it is taken then."
            )


def tag_buckets(stack: SynthesisedStack, clients: AwsClients) -> None:
    """Give buckets that are emptied before they are deleted the tags that say so."""
    s3 = clients.client("s3")
    for name, resource in _resources(stack).items():
        tags = resource.get("Properties", {}).get("Tags")
        if resource["Type"] != "AWS::S3::Bucket" or _EMPTIED not in str(tags):
            continue
        found = clients.cloudformation.describe_stack_resource(
            StackName=stack.name, LogicalResourceId=name
        )
        bucket = found["StackResourceDetail"]["PhysicalResourceId"]
        try:
            s3.get_bucket_tagging(Bucket=bucket)
        except s3.exceptions.ClientError:  # NoSuchTagSet has no class of its own
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})


def _resources(stack: SynthesisedStack) -> Mapping[str, Any]:
    resources: Mapping[str, Any] = stack.template.get("Resources", {})
    return resources


def _has(modules: Path, packages: list[str]) -> bool:
    return all((modules / one).is_dir() for one in packages)


def _assets(folder: Path) -> Iterator[str]:
    """The scripts among an assembly's files, but for what they bundle as packages."""
    for path in folder.rglob("*"):
        if path.suffix in _SCRIPTS and "node_modules" not in path.parts[len(folder.parts) :]:
            yield path.read_text(encoding="utf-8", errors="replace")


def _inline(resource: Mapping[str, Any]) -> str:
    """The code of a function that stands in the template."""
    code = resource.get("Properties", {}).get("Code", {})
    return str(code.get("ZipFile", "")) if isinstance(code, dict) else ""


def _package_of(service: str, codes: list[str]) -> str:
    """The package of a service, by the name of either generation of the SDK."""
    name = re.escape(service.lower())
    # The table of the names that differ is in the code of the function that imports it.
    renamed = (re.search(rf'\b{name}"?:"([a-z0-9-]+)"', code) for code in codes)
    return f"@aws-sdk/client-{next((one[1] for one in renamed if one), service.lower())}"
