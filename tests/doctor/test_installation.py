"""What is installed, and what is not."""

from __future__ import annotations

import json
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidemark.doctor import installation
from tidemark.doctor.finding import State
from tidemark.errors import TidemarkError
from tidemark.host import node as tool

if TYPE_CHECKING:
    from tidemark.doctor.finding import Finding

EXTRAS = ("embedded", "deploy", "load")
REQUIREMENTS = [
    "boto3>=1.40",
    "ministack==1.5.33 ; extra == 'embedded'",
    'aws-cdk-lib==2.275.0; extra == "deploy"',
    "constructs>=10.8,<11 ; extra == 'deploy'",
    "ours>=1 ; python_version >= '3.11' and extra == 'load'",
    "theirs ; python_version < '3.11' and extra == 'load'",
]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The installed packages and their versions; a test may change them."""
    packages = {
        "ministack": "1.5.33",
        "aws-cdk-lib": "2.275.0",
        "constructs": "10.9",
        "ours": "1.1",
    }

    def version(package: str) -> str:
        if package not in packages:
            raise metadata.PackageNotFoundError(package)
        return packages[package]

    about = Message()
    for extra in EXTRAS:
        about["Provides-Extra"] = extra
    for requirement in REQUIREMENTS:
        about["Requires-Dist"] = requirement
    monkeypatch.setattr(metadata, "metadata", lambda _: about)
    monkeypatch.setattr(metadata, "version", version)
    return packages


def extras(*needed: str, is_checkout: bool = True) -> dict[str, Finding]:
    found = installation.extras(needed, is_checkout=is_checkout)
    return {finding.name: finding for finding in found}


@pytest.mark.usefixtures("installed")
def test_every_extra_is_looked_at_with_its_versions() -> None:
    found = extras("embedded", "deploy")

    assert sorted(found) == ["extra [deploy]", "extra [embedded]", "extra [load]"]
    assert {finding.state for finding in found.values()} == {State.OK}
    assert found["extra [deploy]"].says == "aws-cdk-lib 2.275.0, constructs 10.9"


def test_a_missing_package_is_a_problem_only_where_it_is_needed(installed: dict[str, str]) -> None:
    del installed["ministack"], installed["ours"]

    found = extras("embedded")

    assert found["extra [embedded]"].state is State.PROBLEM
    assert found["extra [embedded]"].says == "ministack is not installed"
    assert found["extra [load]"].state is State.WARNING
    assert found["extra [deploy]"].state is State.OK


def test_another_version_than_the_pinned_one_is_told(installed: dict[str, str]) -> None:
    installed["aws-cdk-lib"] = "3.0.0"

    finding = extras("deploy")["extra [deploy]"]

    assert finding.state is State.PROBLEM
    assert finding.says == "aws-cdk-lib 3.0.0 is installed, ==2.275.0 is needed"


def test_a_version_out_of_range_is_told_and_one_of_another_python_is_not_asked_for(
    installed: dict[str, str],
) -> None:
    assert extras("deploy")["extra [load]"].says == "ours 1.1"

    installed["constructs"] = "11.0"

    finding = extras("deploy")["extra [deploy]"]
    assert finding.says == "constructs 11.0 is installed, <11,>=10.8 is needed"


def test_the_fix_fits_how_tidemark_was_installed(installed: dict[str, str]) -> None:
    del installed["ministack"]

    assert extras()["extra [embedded]"].fix == "make install"
    outside = extras(is_checkout=False)["extra [embedded]"]
    assert outside.fix == "pip install 'tidemark-cqrs[embedded]'"


def test_the_real_package_has_the_extras_that_targets_need() -> None:
    assert {"extra [deploy]", "extra [embedded]", "extra [localstack]"} <= set(extras())


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10, 9), State.PROBLEM), ((3, 11, 0), State.OK)]
)
def test_an_old_python_is_a_problem(version: tuple[int, ...], state: State) -> None:
    assert installation.python(version).state is state


def test_outside_a_checkout_nothing_is_broken() -> None:
    assert installation.checkout(None).state is State.WARNING
    assert installation.cdk_cli(None).state is State.WARNING
    assert installation.checkout(Path("/somewhere")).state is State.OK


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with an installed CDK command line."""
    package = tmp_path / "node_modules/aws-cdk"
    (package / "bin").mkdir(parents=True)
    (package / "bin/cdk").touch()
    (package / "package.json").write_text(json.dumps({"version": "2.1148.1"}), encoding="utf-8")
    locked = {"devDependencies": {"aws-cdk": "2.1148.1"}}
    (tmp_path / "package.json").write_text(json.dumps(locked), encoding="utf-8")
    return tmp_path


def test_the_locked_cdk_is_well(checkout: Path) -> None:
    finding = installation.cdk_cli(checkout)

    assert (finding.state, finding.says) == (State.OK, "2.1148.1")


def test_another_cdk_than_the_locked_one_is_a_problem(checkout: Path) -> None:
    manifest = checkout / "node_modules/aws-cdk/package.json"
    manifest.write_text(json.dumps({"version": "3.0.0"}), encoding="utf-8")

    finding = installation.cdk_cli(checkout)

    assert finding.state is State.PROBLEM
    assert finding.says == "3.0.0 is installed, 2.1148.1 is locked"


@pytest.mark.parametrize("lost", ["bin/cdk", "package.json"])
def test_half_an_installation_of_the_cdk_is_a_problem(checkout: Path, lost: str) -> None:
    (checkout / "node_modules/aws-cdk" / lost).unlink()

    finding = installation.cdk_cli(checkout)

    assert (finding.state, finding.fix) == (State.PROBLEM, "make install")


def program(folder: Path, text: str) -> Path:
    path = folder / "node"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_node_that_starts_tells_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = program(tmp_path, "echo v24.0.0")
    monkeypatch.setattr(tool, "node", lambda: node)

    finding = installation.node(is_checkout=True)

    assert (finding.state, finding.says) == (State.OK, f"v24.0.0 ({node})")


def test_a_node_that_fails_tells_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = program(tmp_path, "echo GLIBC_2.28 not found >&2; exit 1")
    monkeypatch.setattr(tool, "node", lambda: node)

    finding = installation.node(is_checkout=True)

    assert (finding.state, finding.fix) == (State.PROBLEM, "make install")
    assert finding.says == "does not start: GLIBC_2.28 not found"


def test_no_node_is_a_problem_with_the_right_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise TidemarkError("Node is not installed")

    monkeypatch.setattr(tool, "node", nowhere)

    finding = installation.node(is_checkout=False)

    assert (finding.state, finding.fix) == (State.PROBLEM, "pip install 'tidemark-cqrs[deploy]'")


def test_a_node_that_is_no_program_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "node", lambda: tmp_path / "absent")

    assert installation.node(is_checkout=True).state is State.PROBLEM
