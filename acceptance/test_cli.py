"""The program from outside: what it prints, how it ends, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from acceptance.broken import broken_checkout
from acceptance.program import CHECKOUT, VERB_TAKES_AT_MOST_S, Program
from tidemark.errors import ExitCode
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)


def test_up_prints_where_it_is_and_three_commands_that_work_as_printed(up: Program) -> None:
    printed = up.succeeds("up", "--target", "embedded")

    status = up.status()
    assert status["api_url"] in printed
    assert re.search(r"projection lag +\d+ ms", printed)
    commands = [line.split() for line in printed.partition("Try next:")[2].strip().splitlines()]
    assert [command[1] for command in commands] == ["call", "status", "load"]
    for command in commands:
        is_load = command[1] == "load"
        ended = subprocess.run(
            [*command, *(["--run-time", "3s"] if is_load else [])],
            cwd=CHECKOUT,
            env=up.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=VERB_TAKES_AT_MOST_S,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
    connection = up.embedded.find()
    assert connection is not None
    assert connection.credentials is not None
    assert connection.credentials.secret_access_key not in printed


def test_status_tells_programs_where_everything_is(up: Program) -> None:
    status = up.status()

    assert {"target", "endpoint", "region", "stack_name", "wiring", "versions"} <= status.keys()
    assert status["api_url"] == "{}/_aws/execute-api/{RestApiId}/{ApiStage}".format(
        status["endpoint"], **status["outputs"]
    )
    assert re.fullmatch(r"[0-9a-f]{64}", status["template_digest"])
    assert status["outbox"] == {"size": 0, "oldest_age_s": 0.0, "stuck": 0}
    assert status["queue_depth"] == 0
    assert status["dead_letters"] == 0


def test_nothing_printed_off_a_terminal_has_escape_codes(up: Program) -> None:
    for arguments in (["up", "--target", "embedded"], ["status"], ["diff"], ["--help"], ["logs"]):
        ended = up(*arguments)

        assert ended.exit_code == ExitCode.OK, ended.stderr
        assert "\x1b" not in ended.stdout + ended.stderr


def test_a_second_up_finds_the_target_and_deploys_nothing(up: Program) -> None:
    endpoint = up.status()["endpoint"]
    log = up.state / "cdk" / "deploy.log"
    log.unlink()

    ended = up("up")

    assert ended.exit_code == ExitCode.OK, ended.stderr
    assert "it runs here already" in ended.stderr
    assert up.status()["endpoint"] == endpoint
    assert not log.exists()


def test_a_port_for_a_target_that_runs_on_another_one_is_refused_in_a_sentence(
    up: Program,
) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]

    ended = up("up", "--target", "embedded", "--port", str(port))

    assert ended.exit_code == ExitCode.NOT_STARTED
    assert "already runs on port" in ended.stderr
    assert up.status()["dead_letters"] == 0


def test_logs_show_the_functions_lines(up: Program) -> None:
    printed = up.succeeds("logs", "update-processor")

    assert " update-processor INFO    record applied " in printed
    assert {line.split()[1] for line in printed.splitlines()} == {"update-processor"}
    assert "RequestId" not in printed
    whole = [json.loads(line) for line in up.succeeds("logs", "--json").splitlines()]
    assert {"command-handler", "update-processor"} <= {line["function"] for line in whole}


def test_stacks_live_side_by_side(up: Program) -> None:
    up.succeeds("up", "--target", "embedded", "--stack-name", "Second", "--wiring", "direct")
    try:
        ambiguous = up("status")
        first = up.status("--stack-name", "Tidemark")
        second = up.status("--stack-name", "Second")

        assert ambiguous.exit_code == ExitCode.NOT_STARTED
        assert "--stack-name" in ambiguous.stderr
        assert (first["wiring"], second["wiring"]) == ("queued", "direct")
        assert second["queue_depth"] is None
        assert first["api_url"] != second["api_url"]
    finally:
        up.succeeds("destroy", "--stack-name", "Second")
    assert up.status()["stack_name"] == "Tidemark"


def test_a_stack_on_an_endpoint_is_ours_and_the_endpoint_is_not(
    up: Program, program: Program
) -> None:
    endpoint = up.status()["endpoint"]
    options = ["--endpoint-url", endpoint, "--stack-name", "Guest"]
    refused = program("up", "--target", "endpoint", *options)
    guest = replace(program, exported=json.loads(up.succeeds("env", "--json")))
    guest.succeeds("up", "--target", "endpoint", *options)
    status = guest.status()

    printed = guest.succeeds("down")

    assert refused.exit_code == ExitCode.NOT_STARTED
    assert 'takes its own keys only: run `eval "$(tidemark env)"`' in refused.stderr

    assert (status["target"], status["endpoint"]) == ("endpoint", endpoint)
    assert f"Guest on {endpoint} is deleted." in printed
    assert up.status()["stack_name"] == "Tidemark"


def test_ctrl_c_during_a_second_up_leaves_the_target_running(up: Program) -> None:
    endpoint = up.status()["endpoint"]

    def deploying() -> bool | None:
        return any(" deploy " in command for command in up.left_running()) or None

    with up.start("up", "--target", "embedded", "--wiring", "direct") as process:
        _interrupt(process, when=deploying)
        _, stderr = process.communicate(timeout=VERB_TAKES_AT_MOST_S)

    assert process.returncode == ExitCode.INTERRUPTED
    assert "the target runs on" in stderr
    assert up.status()["endpoint"] == endpoint


def test_a_killed_emulator_is_named_and_started_again(up: Program) -> None:
    emulator = up.emulator
    assert emulator is not None
    os.kill(emulator.pid, signal.SIGKILL)
    eventually(lambda: not emulator.is_alive or None, within_s=10, what="the emulator to die")

    ended = up("status")
    assert ended.exit_code == ExitCode.FAILED
    assert "The embedded target does not answer: run `tidemark up`" in ended.stderr
    assert ended.last_line == "tidemark: the harness or the target failed (exit 70)"

    up.succeeds("up", "--target", "embedded")
    assert up.status()["dead_letters"] == 0


def test_down_stops_everything_and_is_idempotent(up: Program) -> None:
    assert up.left_running() != []

    assert "The embedded target is stopped." in up.succeeds("down")
    assert up.left_running() == []
    assert up.succeeds("down") == "Nothing was running.\n"
    assert up("status").exit_code == ExitCode.NOT_STARTED


def test_a_taken_port_is_refused_in_a_sentence(program: Program) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        ended = program("up", "--target", "embedded", "--port", str(port))

    assert ended.exit_code == ExitCode.NOT_STARTED
    assert f"Port {port} is taken" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "milestone", ["embedded/process.json", "cdk/bootstrap.log", "cdk/deploy.log"]
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_during_up_leaves_nothing_running(
    program: Program, milestone: str, number: signal.Signals
) -> None:
    with program.start("up", "--target", "embedded") as process:
        _interrupt(process, number, when=lambda: (program.state / milestone).exists() or None)
        _, stderr = process.communicate(timeout=VERB_TAKES_AT_MOST_S)

    assert process.returncode == ExitCode.INTERRUPTED
    assert "Interrupted; nothing of it is left running.\n" in stderr
    assert stderr.rstrip().endswith("tidemark: interrupted (exit 130)")
    assert "Traceback" not in stderr
    assert program.left_running() == []


def test_a_failed_deploy_names_the_resource_and_its_reason(tmp_path: Path) -> None:
    program = Program(tmp_path / "state", cwd=broken_checkout(tmp_path))

    ended = program("up", "--target", "embedded")

    assert ended.exit_code == ExitCode.FAILED
    assert "Broken (AWS::IAM::Policy): The role with name no-such-role" in ended.stderr
    assert "Traceback" not in ended.stderr
    kept = program.state / "failed" / "Tidemark"
    assert {"stack-events.json", "target.log"} <= {path.name for path in kept.iterdir()}
    assert program.left_running() == []


def test_state_that_is_torn_is_passed_over(program: Program) -> None:
    (program.state / "embedded").mkdir(parents=True)
    (program.state / "embedded" / "process.json").write_text('{"pid": 1, "sta')
    (program.state / "deployments").mkdir()
    (program.state / "deployments" / "embedded.Tidemark.json").write_bytes(b"\x00\xff{")

    assert program("status").exit_code == ExitCode.NOT_STARTED
    program.succeeds("up", "--target", "embedded")
    assert program.status()["stack_name"] == "Tidemark"


def _interrupt(
    process: subprocess.Popen[str],
    number: signal.Signals = signal.SIGINT,
    *,
    when: Callable[[], object],
) -> None:
    def probe() -> object:
        assert process.poll() is None, f"up ended with {process.returncode}"
        return when()

    eventually(probe, within_s=60, what="the moment to interrupt")
    process.send_signal(number)
