"""LocalStack by the choice of its user: a port, an image, a token, or Compose by hand."""

from __future__ import annotations

import re
import socket
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from acceptance.containers import IMAGE, docker, everything, left_by
from acceptance.program import CHECKOUT, Program
from tests.project.reading import ROOT, Document
from tidemark.errors import ExitCode
from tidemark.host import ports
from tidemark.host.waiting import eventually
from tidemark.targets import emulators

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("docker_engine")]

UP = ("up", "--target", "localstack")
# What LocalStack prints when it stops for want of a token; with one, this tells how long it is.
LICENSED = """
if [ -n "$LOCALSTACK_AUTH_TOKEN" ]; then
  echo "a token of ${#LOCALSTACK_AUTH_TOKEN} letters"
else
  echo "License activation failed! Reason: No credentials were found in the environment."
fi
exit 55
"""


def test_a_port_in_use_is_refused_before_anything_starts(program: Program) -> None:
    with closing(socket.create_server((ports.LOOPBACK, 0))) as listener:
        port = listener.getsockname()[1]

        refused = program(*UP, "--port", str(port))

    assert refused.exit_code == ExitCode.NOT_STARTED
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
    [container] = docker("create", IMAGE)
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
        f"LOCALSTACK_IMAGE, for {IMAGE} runs without one.\n"
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
    if "--wait" not in " ".join(docker("compose", "up", "--help")):
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
