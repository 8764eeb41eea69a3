"""The localstack target on a real engine: what it leaves in Docker is nothing, whatever happens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from acceptance.containers import containers, docker, everything, ownerless_volumes, require
from acceptance.program import CHECKOUT, VERB_TAKES_AT_MOST_S, Ended, Program
from tests.project.reading import ROOT, Document
from tidemark.errors import ExitCode
from tidemark.host import ports
from tidemark.host.waiting import eventually
from tidemark.targets import emulators, engine
from tidemark.targets.base import TargetOptions
from tidemark.targets.localstack import DEFAULT_IMAGE, LocalStackTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.timeout(400)

UP = ("up", "--target", "localstack")
DOES_NOT_ANSWER = "The localstack target does not answer: run `tidemark up`, which starts it again."
# What LocalStack prints when it stops for want of a token; with one, this tells how long it is.
LICENSED = """
if [ -n "$LOCALSTACK_AUTH_TOKEN" ]; then
  echo "a token of ${#LOCALSTACK_AUTH_TOKEN} letters"
else
  echo "License activation failed! Reason: No credentials were found in the environment."
fi
exit 55
"""


@pytest.fixture(scope="module", autouse=True)
def _engine_and_image() -> None:
    require()


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the caller's shell says of LocalStack does not count; no volume is left behind."""
    for name in ("LOCALSTACK_IMAGE", "LOCALSTACK_AUTH_TOKEN", "LOCALSTACK_PORT"):
        monkeypatch.delenv(name, raising=False)
    before = ownerless_volumes()
    yield
    assert ownerless_volumes() - before == set()


@pytest.fixture
def up(shared: Program) -> Program:
    """The shared program with LocalStack up, whatever the test before left."""
    shared.succeeds(*UP)
    return shared


def target_of(program: Program) -> LocalStackTarget:
    return LocalStackTarget(TargetOptions(state=program.state))


def left_by(program: Program) -> list[str]:
    """What is left of a program's target: in Docker, as processes, as a record."""
    record = program.state / "localstack" / "container.json"
    return [
        *everything(target_of(program).project),
        *program.left_running(),
        *([str(record)] if record.exists() else []),
    ]


def container_of(program: Program) -> str:
    return f"{target_of(program).project}-localstack"


def functions_of(program: Program) -> set[str]:
    return set(containers(target_of(program).project)) - {container_of(program)}


def deploying(program: Program) -> bool | None:
    """Whether the CDK is at work."""
    return any(" deploy " in command for command in program.left_running()) or None


def started(program: Program, *arguments: str, when: Callable[[], object]) -> subprocess.Popen[str]:
    """A verb that has come to a moment."""
    process = program.start(*arguments)

    def probe() -> object:
        if process.poll() is not None:
            pytest.fail(f"it ended with {process.returncode}: {process.communicate()[1]}")
        return when()

    eventually(probe, within_s=120, what="the moment")
    return process


def ended(process: subprocess.Popen[str]) -> Ended:
    """How a verb that was started ended."""
    with process:
        stdout, stderr = process.communicate(timeout=VERB_TAKES_AT_MOST_S)
    return Ended(process.returncode, stdout, stderr)


def has_compose_2() -> bool:
    return engine.asked(["compose", "version"]) is not None


def only_compose(version: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on there is this version of Compose alone."""
    if version == 2:
        if not has_compose_2():
            pytest.skip("Compose 2, the plugin of `docker`, is not on this machine")
        return  # it is preferred
    if shutil.which("docker-compose") is None:
        pytest.skip("Compose 1, `docker-compose`, is not on this machine")
    without_plugin = folder / "bin" / "docker"
    without_plugin.parent.mkdir()
    real = shutil.which("docker")
    without_plugin.write_text(f'#!/bin/sh\n[ "$1" != compose ] && exec {real} "$@"\n')
    without_plugin.chmod(0o755)
    path = os.pathsep.join([str(without_plugin.parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)


@pytest.mark.parametrize("version", [1, 2])
def test_up_status_and_down_leave_nothing_in_docker(
    program: Program, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_compose(version, tmp_path, monkeypatch)

    program.succeeds(*UP)

    status = program.status()
    assert status["target"] == "localstack"
    assert status["versions"]["image"] == DEFAULT_IMAGE
    assert status["versions"]["localstack"] in DEFAULT_IMAGE
    assert docker("port", container_of(program)) == [
        f"4566/tcp -> {status['endpoint'].removeprefix('http://')}"
    ]
    assert status["endpoint"].startswith("http://127.0.0.1:")
    assert functions_of(program) != set()
    assert program.succeeds("down") == "The localstack target is stopped.\n"
    assert left_by(program) == []


def test_localstacks_wrapper_of_the_cdk_deploys_the_same(up: Program) -> None:
    up.succeeds(*UP, "--stack-name", "Wrapped", "--deploy-with", "cdklocal")

    plain, wrapped = up.status("--stack-name", "Tidemark"), up.status("--stack-name", "Wrapped")
    assert wrapped["template_digest"] == plain["template_digest"]
    up.succeeds("destroy", "--stack-name", "Wrapped")


def test_another_image_or_port_than_what_runs_is_refused(
    up: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_port = up(*UP, "--port", str(ports.choose(None)))
    monkeypatch.setenv("LOCALSTACK_IMAGE", "tidemark.invalid/nothing:1")
    other_image = up(*UP)

    assert other_port.exit_code == other_image.exit_code == ExitCode.REFUSED
    assert "The localstack target already runs on port" in other_port.stderr
    assert f"The localstack target already runs the image {DEFAULT_IMAGE}" in other_image.stderr
    assert up.status()["versions"]["image"] == DEFAULT_IMAGE


def test_the_localstack_of_another_state_folder_is_not_taken(up: Program, tmp_path: Path) -> None:
    other = Program(tmp_path / "other")
    for name in ("deployments", "localstack"):
        shutil.copytree(up.state / name, other.state / name)

    for verb in ("status", "destroy"):
        refused = other(verb)
        assert refused.exit_code == ExitCode.FAILED
        assert DOES_NOT_ANSWER in refused.stderr

    other.succeeds("down")
    assert up.status()["dead_letters"] == 0


def test_a_container_that_is_killed_while_it_is_up_is_started_again(up: Program) -> None:
    orphans = functions_of(up)
    docker("kill", container_of(up))

    status = up("status")

    assert status.exit_code == ExitCode.FAILED
    assert DOES_NOT_ANSWER in status.stderr
    up.succeeds(*UP)
    assert up.status()["dead_letters"] == 0
    assert orphans != set()
    assert functions_of(up) & orphans == set()


def test_a_container_that_dies_during_a_deploy_is_named_and_cleared_away(up: Program) -> None:
    verb = started(up, *UP, "--stack-name", "Second", when=lambda: deploying(up))
    docker("kill", container_of(up))
    failed = ended(verb)

    assert failed.exit_code == ExitCode.FAILED
    assert (
        "The localstack target ended meanwhile (exit code 137) and its rest is removed: "
    ) in failed.stderr
    assert "Traceback" not in failed.stderr
    assert left_by(up) == []


def test_an_up_that_was_killed_is_taken_up_by_the_next_one(program: Program) -> None:
    with started(program, *UP, when=lambda: deploying(program)) as process:
        process.kill()
        process.communicate()
    assert deploying(program), "the kill took more than the program itself"

    program.succeeds(*UP)
    assert program.status()["dead_letters"] == 0
    program.succeeds("down")

    assert left_by(program) == []


@pytest.mark.parametrize("moment", ["compose is called", "localstack starts", "the CDK deploys"])
def test_ctrl_c_leaves_nothing_in_docker(program: Program, moment: str) -> None:
    folder = program.state / "localstack"
    has_come: dict[str, Callable[[], object]] = {
        "compose is called": lambda: (folder / "container.json").exists() or None,
        "localstack starts": lambda: (folder / "compose.log").exists() or None,
        "the CDK deploys": lambda: deploying(program),
    }

    verb = started(program, *UP, when=has_come[moment])
    os.killpg(verb.pid, signal.SIGINT)  # as a terminal does
    interrupted = ended(verb)

    assert interrupted.exit_code == ExitCode.INTERRUPTED
    assert "Interrupted; nothing of it is left running.\n" in interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    assert left_by(program) == []


def test_a_port_in_use_is_refused_before_anything_starts(program: Program) -> None:
    with closing(socket.create_server((ports.LOOPBACK, 0))) as listener:
        port = listener.getsockname()[1]

        refused = program(*UP, "--port", str(port))

    assert refused.exit_code == ExitCode.REFUSED
    assert f"Port {port} is taken: stop what listens there" in refused.stderr
    assert left_by(program) == []


def test_an_image_that_nobody_has_is_named(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_IMAGE", "tidemark.invalid/nothing:1")

    failed = program(*UP)

    assert failed.exit_code == ExitCode.FAILED
    assert (
        "The image tidemark.invalid/nothing:1 is not on this machine and cannot be pulled"
    ) in failed.stderr
    assert "Traceback" not in failed.stderr
    assert left_by(program) == []


@pytest.fixture
def licensed_image(tmp_path: Path) -> Iterator[str]:
    """An image that stops at once, and says that it wants a token unless it has one."""
    image = f"tidemark.invalid/licensed-{tmp_path.name.lower()}:1"
    [container] = docker("create", DEFAULT_IMAGE)
    words = ", ".join(f'"{word}"' for word in ("sh", "-c", "/licensed"))
    script = tmp_path / "licensed"
    script.write_text(f"#!/bin/sh\n{LICENSED}")
    script.chmod(0o755)
    docker("cp", str(script), f"{container}:/licensed")
    docker("commit", "--change", f"ENTRYPOINT [{words}]", container, image)
    docker("rm", "--volumes", container)
    yield image
    docker("rmi", image)


def test_an_image_that_wants_a_token_names_one_that_does_not_and_is_given_it(
    program: Program, licensed_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_IMAGE", licensed_image)
    without = program(*UP)
    monkeypatch.setenv("LOCALSTACK_AUTH_TOKEN", "0123456789")
    given = program(*UP)

    assert without.exit_code == given.exit_code == ExitCode.FAILED
    assert (
        f"The image {licensed_image} needs a token: set LOCALSTACK_AUTH_TOKEN, or leave out "
        f"LOCALSTACK_IMAGE, for {DEFAULT_IMAGE} runs without one.\n"
    ) in without.stderr
    assert "(exit code 55; its last words: a token of 10 letters)" in given.stderr
    assert left_by(program) == []


def test_compose_and_cdklocal_by_themselves_make_a_stack_that_up_takes_as_it_is(
    program: Program, tmp_path: Path
) -> None:
    port, project = ports.choose(None), f"tidemark-{tmp_path.name.lower()}"
    endpoint = f"http://127.0.0.1:{port}"
    env = program.env | {
        "COMPOSE_PROJECT_NAME": project,
        "LOCALSTACK_PORT": str(port),
        "NO_PROXY": ports.LOOPBACK,
        "CDK_OUTPUT": str(tmp_path / "cdk.out"),
    }
    start, *deploy, take, end = by_hand(port)
    assert take == f"make up TARGET=endpoint ENDPOINT_URL={endpoint}"
    try:
        run([start], env)
        eventually(
            lambda: emulators.answers(endpoint, "localstack") or None,
            within_s=60,
            what="LocalStack to answer",  # Compose 1 does not wait for it
        )
        run(deploy, env)
        taken = program("up", "--target", "endpoint", "--endpoint-url", endpoint)
    finally:
        run([end], env)

    assert taken.exit_code == ExitCode.OK, taken.stderr
    assert not re.search("is bootstrapped|is deployed", taken.stdout + taken.stderr)
    assert everything(project) == []


def by_hand(port: int) -> list[str]:
    """The README's commands for Compose and the wrapper by themselves."""
    [block] = [
        one for one in Document.at(ROOT / "README.md").fenced("console") if "npx cdklocal" in one
    ]
    if not has_compose_2():
        block = block.replace("docker compose", "docker-compose").replace(" --wait", "")
    return [
        line.removeprefix("$ ").replace(":4566", f":{port}")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def run(lines: list[str], env: Mapping[str, str]) -> None:
    """Run lines of a shell, in the checkout, until one fails."""
    finished = subprocess.run(
        ["bash", "-euc", "\n".join(lines)],
        cwd=CHECKOUT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
