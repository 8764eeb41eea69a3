"""The CDK command line is found as Node would find it, or the user is told how to get it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.deploy.cdk import Cdk
from tidemark.errors import TidemarkError
from tidemark.host.processes import Children, Finished

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
CONNECTION = Connection("us-east-1", "http://127.0.0.1:1", EMULATOR_CREDENTIALS)
INSTALLED = Path("node_modules/aws-cdk/bin/cdk")


class Watched(Children):
    """Notes what would be started."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[list[str]] = []

    def run(self, command: Sequence[str | Path], **_: Any) -> Finished:
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


def test_a_diff_makes_no_change_set(tmp_path: Path) -> None:
    """LocalStack's change sets know nothing of a function's new code, and AWS keeps them."""
    (tmp_path / INSTALLED).parent.mkdir(parents=True)
    (tmp_path / INSTALLED).touch()
    children = Watched()

    Cdk(tmp_path, tmp_path / "state", children).diff(tmp_path / "assembly", CONNECTION)

    [command] = children.commands
    assert command[command.index("--method") + 1] == "template"
