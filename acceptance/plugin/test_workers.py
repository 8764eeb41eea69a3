"""Under pytest-xdist the workers share what one of them deploys and one process removes."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tidemark.deploy.assembly import Assembly
from tidemark.errors import ExitCode, TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.testing.apps import Apps, DeployedApp

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.plugin.sessions import Project

ENDPOINT = "http://127.0.0.1:1"
TWO_WORKERS = ["-p", "xdist", "-n", "2"]
DEPLOYED = """
@pytest.mark.parametrize("number", range(4))
def test_it(deployment, number): pass
"""


class Worker:
    """A worker of a session, which counts what it deploys."""

    def __init__(self, folder: Path, deploys: list[dict[str, str]]) -> None:
        self.apps = Apps(folder)
        self.deploys = deploys
        self.trouble: Exception | None = None

    def get(self, **contexts: str) -> DeployedApp:
        return self.apps.get(contexts, lambda: self._deploy(contexts))

    def _deploy(self, contexts: dict[str, str]) -> DeployedApp:
        self.deploys.append(contexts)
        if self.trouble is not None:
            raise self.trouble
        deployment = Deployment(
            target="embedded",
            endpoint=ENDPOINT,
            region="us-east-1",
            stack_name="-".join(["Tidemark", *contexts.values()]),
            api_url="",
            template_digest="0",
            outputs={"number": str(len(self.deploys))},
        )
        return DeployedApp("Tidemark", (deployment,))


@pytest.fixture
def workers(tmp_path: Path) -> list[Worker]:
    deploys: list[dict[str, str]] = []
    return [Worker(tmp_path / "apps", deploys) for _ in range(4)]


def test_workers_that_want_it_at_once_share_one_deployment(workers: list[Worker]) -> None:
    with ThreadPoolExecutor(len(workers)) as pool:
        apps = list(pool.map(Worker.get, workers))

    assert workers[0].deploys == [{}]
    assert apps == [workers[0].get()] * len(workers) == workers[0].apps.all() * len(workers)


def test_each_choice_of_context_is_deployed_once(workers: list[Worker]) -> None:
    apps = [one.get(wiring="direct") for one in workers] + [one.get() for one in workers]

    assert {app.deployments[0].stack_name for app in apps} == {"Tidemark", "Tidemark-direct"}
    assert workers[0].deploys == [{"wiring": "direct"}, {}]


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (TidemarkError("The deploy failed."), "The deploy failed."),
        (OSError(errno.ENOSPC, "No space left"), "The disk is full: make room"),
        (EndpointConnectionError(endpoint_url=ENDPOINT), "The target failed: Could not connect"),
        (ValueError("a bug"), "ValueError('a bug')"),
    ],
)
def test_what_fails_for_one_worker_fails_for_all_and_is_tried_once(
    workers: list[Worker], trouble: Exception, sentence: str
) -> None:
    trouble.add_note("Something may be left.")
    workers[0].trouble = trouble
    with pytest.raises(type(trouble)):
        workers[0].get()

    for worker in workers:
        with pytest.raises(TidemarkError) as caught:
            worker.get()
        assert str(caught.value).startswith(sentence)
        assert isinstance(trouble, ValueError) or "Something may be left." in str(caught.value)

    assert workers[0].deploys == [{}]
    [failure] = workers[0].apps.failures()
    assert failure.exit_code is ExitCode.FAILED


def test_a_worker_that_ends_while_it_deploys_leaves_it_to_the_next(workers: list[Worker]) -> None:
    def end() -> DeployedApp:
        raise SystemExit

    with pytest.raises(SystemExit):
        workers[0].apps.get({}, end)

    assert workers[1].get().deployments[0].stack_name == "Tidemark"


def test_what_an_app_was_made_from_is_shared_too(
    workers: list[Worker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assembly = Assembly(tmp_path / "cdk.out", ())
    monkeypatch.setattr(Assembly, "read", lambda folder: Assembly(folder, ()))

    app = DeployedApp("Tidemark", (), assembly=assembly)
    apps = [one.apps.get({}, lambda: app) for one in workers]

    assert [one.assembly for one in apps] == [assembly] * len(workers)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--target", "localstack"], "No Docker engine answers"),
        (["--tidemark-endpoint", ENDPOINT], f"No AWS answers at {ENDPOINT}"),
    ],
)
def test_what_cannot_be_started_fails_every_test_and_the_session_with_its_own_code(
    project: Project, tmp_path: Path, options: list[str], sentence: str
) -> None:
    no_engine: dict[str, Any] = {"DOCKER_HOST": f"unix://{tmp_path / 'no-docker.sock'}"}

    session = project.run(DEPLOYED, *TWO_WORKERS, *options, **no_engine)

    assert session.exit_code == ExitCode.FAILED
    assert "4 errors" in session.output
    assert sentence in session.output
    assert "crashed" not in session.output


def test_workers_that_deploy_nothing_need_no_app_and_leave_nothing(project: Project) -> None:
    (project.folder / "cdk.json").unlink()

    session = project.run("def test_nothing(): pass", *TWO_WORKERS)

    assert session.exit_code == 0
    assert not (project.folder / "state").exists()
