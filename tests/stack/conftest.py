"""Synthesis is slow, so each template is made once per session, with the nag rules watching."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from stack.app import add_stack, new_app
from stack.cqrs_stack import Choices


@dataclass(frozen=True)
class Template:
    """A synthesised template, and what the nag rules found in it."""

    wiring: str
    content: dict[str, Any]
    findings: list[str]

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Returns the properties of all resources of a type by their logical ids."""
        found = {
            name: resource.get("Properties", {})
            for name, resource in self.content["Resources"].items()
            if resource["Type"] == kind
        }
        assert found, f"no {kind} in the template: what would a test of it mean?"
        return found

    def logical_id(self, output: str) -> str:
        """Returns the logical id of the resource that an output names."""
        value = self.content["Outputs"][output]["Value"]
        logical_id: str = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
        return logical_id

    def properties(self, output: str) -> dict[str, Any]:
        """Returns the properties of the resource that an output names."""
        properties: dict[str, Any] = self.content["Resources"][self.logical_id(output)][
            "Properties"
        ]
        return properties

    def role_statements(self, output: str) -> list[dict[str, Any]]:
        """Returns what the role of the function that an output names may do."""
        role_id = self.properties(output)["Role"]["Fn::GetAtt"][0]
        role = self.content["Resources"][role_id]["Properties"]
        return [
            statement
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Template]:
    """Synthesises a wiring, once."""

    @cache
    def synthesise(wiring: str) -> Template:
        outdir = tmp_path_factory.mktemp(wiring)
        app = new_app(outdir)
        stack = add_stack(app, choices=Choices(wiring=wiring))
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        # A violated rule also fails the synthesis; which it was is in the report.
        with contextlib.suppress(RuntimeError):
            app.synth()
        return Template(
            wiring=wiring,
            content=json.loads((outdir / stack.template_file).read_text()),
            findings=list(findings(outdir / "validation-report.json")),
        )

    return synthesise


@pytest.fixture(scope="session", params=["queued", "direct"])
def template(request: pytest.FixtureRequest, synthesised: Callable[[str], Template]) -> Template:
    """The template of each wiring in turn."""
    return synthesised(request.param)


@pytest.fixture(scope="session")
def queued(synthesised: Callable[[str], Template]) -> Template:
    """The template of the default wiring."""
    return synthesised("queued")


@pytest.fixture(scope="session")
def direct(synthesised: Callable[[str], Template]) -> Template:
    """The template of the wiring without a queue."""
    return synthesised("direct")


def findings(report: Path) -> Iterator[str]:
    """Yields every violation that nobody acknowledged, whatever its severity."""
    plugins = json.loads(report.read_text())["pluginReports"]
    assert any(plugin["pluginName"] == "AwsSolutions" for plugin in plugins), "nobody checked"
    for plugin in plugins:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield f"{violation['ruleName']} at {construct['constructPath']}"
