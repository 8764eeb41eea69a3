"""The CDK command line is found as Node would find it, or the user is told how to get it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.deploy.cdk import Cdk
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host.processes import Children, Finished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
CONNECTION = Connection("us-east-1", "http://127.0.0.1:1", EMULATOR_CREDENTIALS)
AWS = Connection("eu-west-1")
INSTALLED = Path("node_modules/aws-cdk/bin/cdk")


class Watched(Children):
    """Notes what would be started."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[list[str]] = []
        self.environments: list[Mapping[str, str]] = []

    def run(self, command: Sequence[str | Path], **more: Any) -> Finished:
        self.environments.append(more["env"])
        self.commands.append([str(word) for word in command])
        return Finished(0, "")


def program_of(project: Path) -> Path:
    children = Watched()
    Cdk(project, project / "state", children).bootstrap(CONNECTION, "0" * 12)
    return Path(children.commands[0][1])


@pytest.mark.parametrize("where", [".", "..", "../.."])
def test_it_is_found_in_the_project_or_above_it(tmp_path: Path, where: str) -> None:
    project = tmp_path / "examples" / "parcels"
    project.mkdir(parents=True)
    installed = (project / where / INSTALLED).resolve()
    installed.parent.mkdir(parents=True)
    installed.touch()

    assert program_of(project) == installed


def test_the_nearest_one_is_taken(tmp_path: Path) -> None:
    project = tmp_path / "parcels"
    for folder in (tmp_path, project):
        (folder / INSTALLED).parent.mkdir(parents=True)
        (folder / INSTALLED).touch()

    assert program_of(project) == project / INSTALLED


def test_where_there_is_none_the_sentence_says_what_to_install(tmp_path: Path) -> None:
    cdk = Cdk(tmp_path, tmp_path / "state", Children())

    with pytest.raises(TidemarkError) as caught:
        cdk.bootstrap(CONNECTION, "0" * 12)

    assert "`npm install aws-cdk@2`" in str(caught.value)
    assert f"not installed in {tmp_path}" in str(caught.value)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the program, and a home folder, both without settings."""
    project, home = tmp_path / "project", tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (project / INSTALLED).parent.mkdir(parents=True)
    (project / INSTALLED).touch()
    return project


def test_a_diff_compares_two_files_and_has_no_credentials_to_do_more(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "theirs")
    monkeypatch.setenv("AWS_PROFILE", "work")
    children = Watched()

    Cdk(project, project / "state", children).diff(project / "asm", "Tidemark", {"Resources": {}})

    [command], [env] = children.commands, children.environments
    deployed = Path(command[command.index("--template") + 1])
    assert json.loads(deployed.read_text()) == {"Resources": {}}
    assert command[command.index("--app") + 1] == str(project / "asm")
    assert not {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ENDPOINT_URL"} & env.keys()
    assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_a_profile_of_the_cdks_own_settings_is_never_taken(project: Path) -> None:
    children = Watched()

    Cdk(project, project / "state", children).bootstrap(CONNECTION, "0" * 12)

    assert "--profile=" in children.commands[0]


@pytest.mark.parametrize("where", ["project/cdk.json", "home/.cdk.json"])
@pytest.mark.parametrize("setting", [{"profile": "work"}, {"region": "x"}, {"plugin": ["theirs"]}])
def test_a_setting_by_which_the_cdk_would_choose_is_refused_on_aws(
    project: Path, where: str, setting: dict[str, Any]
) -> None:
    (project.parent / where).write_text(json.dumps({"app": "python app.py", **setting}))
    children = Watched()
    cdk = Cdk(project, project / "state", children)

    with pytest.raises(NotStartedError, match=f"has the setting '{next(iter(setting))}', by which"):
        cdk.bootstrap(replace(AWS, caller=cast("Any", object())), "0" * 12)

    assert children.commands == []
