"""What a session's testbed does with apps and stacks that it knows nothing of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.aws.stacks import LiveStack
from tidemark.deploy.bringup import BringUp, BroughtUp
from tidemark.deploy.outputs import deployment_of
from tidemark.errors import TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.host.progress import Steps
from tidemark.targets.base import TargetOptions
from tidemark.targets.endpoint import EndpointTarget
from tidemark.testing.options import Plan
from tidemark.testing.testbed import Testbed

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.deploy.synthesis import App

ENDPOINT = "http://127.0.0.1:1"
DEPLOYMENT = Deployment(
    target="embedded",
    endpoint=ENDPOINT,
    region="us-east-1",
    stack_name="Parcels",
    api_url="",
    template_digest="0",
    outputs={"LookupFunction": "lookup"},
)


@pytest.fixture
def brought_up(monkeypatch: pytest.MonkeyPatch) -> list[App]:
    """The apps that are brought up, which deploys nothing."""
    apps: list[App] = []

    def up(self: BringUp) -> BroughtUp:
        apps.append(self.app)
        return BroughtUp((replace(DEPLOYMENT, stack_name=self.app.stack_name),), None)

    monkeypatch.setattr(BringUp, "up", up)
    connection = Connection("us-east-1", ENDPOINT, EMULATOR_CREDENTIALS)
    monkeypatch.setattr(EndpointTarget, "start", lambda _: connection)
    return apps


def bed_of(folder: Path, *, target: str = "embedded", command: str = "python app.py") -> Testbed:
    url = ENDPOINT if target == "endpoint" else None
    plan = Plan(target, url, folder, command=tuple(command.split()))
    return Testbed(plan, folder / "state", Steps())


def test_the_first_stack_of_any_app_may_name_itself_and_others_may_not(
    brought_up: list[App], tmp_path: Path
) -> None:
    bed = bed_of(tmp_path)

    bed.deploy()
    bed.deploy()
    bed.deploy(size="small")

    assert [app.may_name_itself for app in brought_up] == [True, False]
    assert [app.command for app in brought_up] == [("python", "app.py")] * 2
    assert len({app.folder for app in brought_up}) == 2


def test_on_a_target_of_others_no_stack_names_itself(brought_up: list[App], tmp_path: Path) -> None:
    beds = [bed_of(tmp_path / session, target="endpoint") for session in ("one", "two")]
    names = {bed.deploy().deployment.stack_name for bed in beds}

    assert [app.may_name_itself for app in brought_up] == [False, False]
    assert len(names) == 2


def test_tidemarks_own_app_is_found_synthesised(brought_up: list[App], tmp_path: Path) -> None:
    bed_of(tmp_path, command="python -m stack.app").deploy()

    [app] = brought_up
    assert app.folder is None
    assert not app.may_name_itself


def test_a_stack_without_the_outputs_of_an_api_has_no_client(tmp_path: Path) -> None:
    bed = bed_of(tmp_path)

    with (
        pytest.raises(TidemarkError, match="Parcels outputs no RestApiId and ApiStage"),
        bed.client_of(DEPLOYMENT),
    ):
        pass


@pytest.mark.parametrize(
    ("outputs", "api_url"),
    [
        ({"LookupFunction": "lookup"}, ""),
        ({"RestApiId": "a1"}, ""),
        ({"RestApiId": "a1", "ApiStage": "v1"}, f"{ENDPOINT}/_aws/execute-api/a1/v1"),
    ],
)
def test_a_stack_has_an_api_if_it_outputs_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outputs: dict[str, str], api_url: str
) -> None:
    monkeypatch.setattr("tidemark.aws.stacks.live_template", lambda *_: {"Resources": {}})
    connection = Connection("us-east-1", ENDPOINT, EMULATOR_CREDENTIALS)
    live = LiveStack("CREATE_COMPLETE", outputs)
    target = EndpointTarget(TargetOptions(state=tmp_path))

    clients = AwsClients(connection)
    found = deployment_of(target, clients, "Parcels", live)

    assert found.api_url == api_url


def test_two_sessions_at_once_have_nothing_of_the_same_name(
    brought_up: list[App], tmp_path: Path
) -> None:
    projects = [tmp_path / "one", tmp_path / "two"]
    for one in projects:
        bed_of(one, target="endpoint").deploy()

    assert len({app.stack_name for app in brought_up}) == 2
    assert len({app.folder for app in brought_up}) == 2
