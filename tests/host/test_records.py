"""The state folder: deployments, documents, the lock."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host import deployment as deployments
from tidemark.host.deployment import Deployment, check_stack_name, known, select
from tidemark.host.locking import locked
from tidemark.host.state import find_checkout, read_json, state_dir, write_json
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:4000",
    region="us-east-1",
    stack_name="Tidemark",
    api_url="http://127.0.0.1:4000/_aws/execute-api/a/v1",
    template_digest="0" * 64,
    outputs={"Wiring": "queued"},
)


def test_a_deployment_reads_as_it_was_saved(tmp_path: Path) -> None:
    path = DEPLOYMENT.save(tmp_path)

    assert Deployment.load(path) == DEPLOYMENT
    assert path == deployments.path_of("embedded", "Tidemark", tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"target": "embedded"}', "\x00"])
def test_a_torn_record_is_named_when_asked_for_and_else_passed_over(
    tmp_path: Path, content: str
) -> None:
    path = DEPLOYMENT.save(tmp_path)
    path.write_text(content)
    replace(DEPLOYMENT, stack_name="Other").save(tmp_path)

    with pytest.raises(TidemarkError, match="is no known deployment: run `tidemark up`"):
        Deployment.load(path)
    assert [one.stack_name for one in known(tmp_path)] == ["Other"]


def test_a_verb_acts_on_the_only_deployment(tmp_path: Path) -> None:
    with pytest.raises(
        NotStartedError, match=r"No deployment is known in .*: run `tidemark up` first"
    ):
        select(folder=tmp_path)

    DEPLOYMENT.save(tmp_path)

    assert select(folder=tmp_path) == DEPLOYMENT
    with pytest.raises(NotStartedError, match="No deployment on localstack named X is known"):
        select("localstack", "X", tmp_path)


def test_with_several_deployments_a_verb_wants_to_be_told_which(tmp_path: Path) -> None:
    other = replace(DEPLOYMENT, stack_name="Other")
    elsewhere = replace(DEPLOYMENT, target="localstack")
    for one in (DEPLOYMENT, other, elsewhere):
        one.save(tmp_path)

    with pytest.raises(NotStartedError, match="choose with --target and --stack-name"):
        select(folder=tmp_path)
    with pytest.raises(NotStartedError, match="Tidemark on embedded, Tidemark on localstack"):
        select(stack_name="Tidemark", folder=tmp_path)
    assert select("localstack", folder=tmp_path) == elsewhere
    assert select("embedded", "Other", tmp_path) == other


@pytest.mark.parametrize("name", ["", "1a", "a/b", "../a", "a.b", "a" * 129, "ä", "a\n"])
def test_a_stack_name_that_cloudformation_refuses_is_refused_at_once(name: str) -> None:
    with pytest.raises(NotStartedError, match="will not do"):
        check_stack_name(name)


def test_a_document_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "document.json"
    write_json(path, {"version": 1})
    with pytest.raises(TypeError):
        write_json(path, {"version": object()})

    assert read_json(path) == {"version": 1}
    assert [one.name for one in path.parent.iterdir()] == ["document.json"]


def test_the_state_folder_is_at_the_checkouts_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    assert find_checkout() == tmp_path
    assert state_dir({}) == tmp_path / ".tidemark"
    assert state_dir({"TIDEMARK_STATE_DIR": "/elsewhere"}).as_posix() == "/elsewhere"


def test_outside_a_checkout_the_state_folder_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert state_dir({}) == tmp_path / ".tidemark"


def test_a_second_verb_is_refused_while_the_first_is_at_work(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(NotStartedError, match=rf"Another tidemark \(process {os.getpid()}\)"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from tidemark.host.locking import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n"
        "    print('locked', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(NotStartedError), locked(tmp_path):
            pass
        process.kill()

    def probe() -> bool | None:
        with locked(tmp_path):
            return True

    assert eventually(probe, within_s=5, what="the lock")


def test_nobody_else_may_look_into_a_state_folder_that_a_verb_made(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)

    with locked(tmp_path / "ours"), locked(theirs):
        modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "theirs")]

    assert modes == [0o700, 0o755]
