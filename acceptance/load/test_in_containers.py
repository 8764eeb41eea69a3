"""A load run in containers, by the Compose profile, from the image of the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from acceptance.load.processes import CHECKOUT, deployed
from acceptance.load.test_machines import closing_rows, loaded_by, run_in
from tests.api.servers import served
from tests.load.fake_bank import FakeBank
from tidemark.host.state import write_json

if TYPE_CHECKING:
    from pathlib import Path

BASE = os.environ.get("LOAD_BASE", "python:3.13-slim")
PROJECT = "tidemark-load-test"


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("docker_engine")
def test_workers_in_containers_share_a_run_folder_that_belongs_to_the_caller(
    tmp_path: Path,
) -> None:
    compose = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    found = subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False)
    if found.returncode:
        pytest.skip(f"the image {BASE} is not here: pull it, or name another by LOAD_BASE")
    environment = os.environ | {
        "COMPOSE_PROJECT_NAME": PROJECT,
        "LOAD_BASE": BASE,
        "LOAD_USER": f"{os.getuid()}:{os.getgid()}",
        "TIDEMARK_STATE_DIR": str(tmp_path),
        "TIDEMARK_CHECK": "off",
        "DURATION": "3s",
    }

    def said(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*compose, "--profile", "load", *arguments],
            cwd=CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    with served(FakeBank().answer) as url:
        write_json(tmp_path / "embedded/key.json", {"secret_access_key": "of this target"})
        deployed(url, tmp_path, "embedded")  # of which the image has nothing
        try:
            up = said(
                *("up", "--build", "--no-color", "--scale", "worker=2"),
                *("--exit-code-from", "master", "master"),
            )
        finally:
            said("down", "--timeout", "5")

    assert up.returncode == 0, up.stdout + up.stderr
    run = run_in(tmp_path)
    assert set(loaded_by(run)) == {"w1", "w2"}
    assert all(row["closed"] for row in closing_rows(run).values())
    assert {one.stat().st_uid for one in run.rglob("*")} == {os.getuid()}
