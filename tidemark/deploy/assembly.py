"""A cloud assembly: what a CDK app synthesised, stack by stack."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Self

from tidemark.aws.stacks import template_digest
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_STACK = "aws:cloudformation:stack"
_NESTED = "cdk:cloud-assembly"
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class SynthesisedStack:
    """One stack of an assembly.

    Attributes:
        id: What the CDK command line calls it.
        name: The name that it is deployed under.
        template: Its template.
        account: The account that the app fixes; ``None``: whichever it is deployed to.
        region: The same of the region.
    """

    id: str
    name: str
    template: Mapping[str, Any]
    account: str | None = None
    region: str | None = None

    @property
    def digest(self) -> str:
        """The template's digest; see :func:`template_digest`."""
        return template_digest(self.template)

    @property
    def declared_outputs(self) -> tuple[str, ...]:
        """The keys of the outputs that it always has."""
        outputs = self.template.get("Outputs", {})
        return tuple(key for key, output in outputs.items() if "Condition" not in output)


@dataclass(frozen=True, slots=True)
class Assembly:
    """A synthesised app.

    Attributes:
        folder: The cloud assembly, as `cdk --app` takes it.
        stacks: Its stacks, each after those that it depends on.
    """

    folder: Path
    stacks: tuple[SynthesisedStack, ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read an assembly, and those of its stages.

        Raises:
            TidemarkError: It has no stack, or is not whole.
        """
        if not is_whole(folder):
            raise TidemarkError(
                "The CDK app wrote nothing to the folder that CDK_OUTDIR names: it must end with "
                "`app.synth()`."
            )
        if missing := _manifest(folder).get("missing"):
            raise TidemarkError(
                f"The CDK app looks up {missing[0]['key']} in an account: put what it finds into "
                "cdk.context.json, as `cdk synth` does."
            )
        stacks = tuple(_stacks(folder))
        if not stacks:
            raise TidemarkError("The CDK app has no stack.")
        return cls(folder, stacks)

    def pinned(self, folder: Path, account: str, region: str) -> Self:
        """A copy whose stacks go to one account and region, and nowhere else; templates are alike.

        The CDK then refuses credentials of any other account.

        Args:
            folder: Where the copy is made; what was there is removed.
            account: The account.
            region: The region.
        """
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        for one in _manifests(folder):
            document = _manifest(one)
            for artifact in document["artifacts"].values():
                if artifact["type"] == _STACK:
                    artifact["environment"] = f"aws://{account}/{region}"
            (one / _MANIFEST).write_text(json.dumps(document), encoding="utf-8")
        return type(self).read(folder)

    def stack(self, name: str) -> SynthesisedStack | None:
        """The stack of that name, if it has one."""
        return next((one for one in self.stacks if one.name == name), None)


def is_whole(folder: Path) -> bool:
    """Whether there is an assembly in a folder; its manifest is written last."""
    return (folder / _MANIFEST).is_file()


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    return manifest


def _manifests(folder: Path) -> Iterator[Path]:
    """The folders of an assembly and of its stages."""
    yield folder
    for artifact in _manifest(folder)["artifacts"].values():
        if artifact["type"] == _NESTED:
            yield from _manifests(folder / artifact["properties"]["directoryName"])


def _stacks(folder: Path) -> Iterator[SynthesisedStack]:
    artifacts = _manifest(folder)["artifacts"]
    needs = {
        key: [one for one in artifact.get("dependencies", ()) if one in artifacts]
        for key, artifact in artifacts.items()
    }
    for key in TopologicalSorter(needs).static_order():
        artifact = artifacts[key]
        properties = artifact.get("properties", {})
        if artifact["type"] == _NESTED:
            yield from _stacks(folder / properties["directoryName"])
        if artifact["type"] == _STACK:
            account, _, region = (
                artifact.get("environment", "").removeprefix("aws://").partition("/")
            )
            text = (folder / properties["templateFile"]).read_text(encoding="utf-8")
            yield SynthesisedStack(
                artifact.get("displayName", key),
                properties.get("stackName", key),
                json.loads(text),
                _fixed(account),
                _fixed(region),
            )


def _fixed(word: str) -> str | None:
    return None if word in {"", "unknown-account", "unknown-region"} else word
