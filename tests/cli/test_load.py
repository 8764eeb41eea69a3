"""What `tidemark load` makes of how Locust ends, and what it passes on to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.cli import known, program
from tidemark.cli import load as verb
from tidemark.errors import EndedError, InterruptedByUserError, NotStartedError, TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.host.state import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typer.testing import Result

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="One",
    api_url="http://127.0.0.1:1/prod",
    template_digest="",
    outputs={},
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run the verb with a Locust that ends with a code, and wrote a report or did not."""
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(known, "choose", lambda *_: (DEPLOYMENT, None))
    connection = Connection("us-east-1", DEPLOYMENT.endpoint, EMULATOR_CREDENTIALS)
    monkeypatch.setattr(known, "connect", lambda _: connection)

    def run(code: int, *, reported: int | None, is_interrupted: bool = False) -> None:
        def locust(_: Any, __: Any, environment: Mapping[str, str]) -> tuple[int, bool]:
            assert Deployment.load(Path(environment["TIDEMARK_DEPLOYMENT"])) == DEPLOYMENT
            if reported is not None:
                path = tmp_path / "runs" / environment["TIDEMARK_RUN"] / "load.json"
                write_json(path, {"exit_code": reported})
            return code, is_interrupted

        monkeypatch.setattr(verb, "_run", locust)
        result = CliRunner().invoke(program.app, ["load"])
        if isinstance(result.exception, Exception):
            raise result.exception

    return run


@pytest.mark.parametrize("code", [1, 2, 3, 130])
def test_what_the_run_came_to_is_how_the_verb_ends(run: Callable[..., None], code: int) -> None:
    with pytest.raises(EndedError) as ended:
        run(code, reported=code)
    assert ended.value.exit_code == code


def test_a_run_that_is_fine_ends_well(run: Callable[..., None]) -> None:
    run(0, reported=0)


@pytest.mark.parametrize("code", [3, 64, 70])
def test_what_never_became_a_run_or_had_no_room_left_needs_no_report(
    run: Callable[..., None], code: int
) -> None:
    with pytest.raises(EndedError) as ended:
        run(code, reported=None)
    assert ended.value.exit_code == code


@pytest.mark.parametrize(("code", "reported"), [(1, None), (2, None), (0, None), (2, 0), (1, 130)])
def test_locusts_own_codes_never_pass_for_ours(
    run: Callable[..., None], code: int, reported: int | None
) -> None:
    with pytest.raises(TidemarkError) as failed:
        run(code, reported=reported)
    assert failed.value.exit_code == 70
    assert f"Locust ended with {code}" in str(failed.value)


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a run has left."""
    monkeypatch.setattr(verb, "new_run_id", lambda: "20260101T000000-abcdef")
    left = tmp_path / "runs/20260101T000000-abcdef"
    left.mkdir(parents=True)
    return left


def test_a_run_whose_locust_was_killed_names_what_is_left_of_it(
    run: Callable[..., None], left: Path
) -> None:
    with pytest.raises(TidemarkError, match="ended by signal 9") as failed:
        run(-9, reported=None)
    assert failed.value.exit_code == 70
    assert str(left) in str(failed.value)


def test_a_run_that_was_interrupted_before_it_began_is_said_to_be(run: Callable[..., None]) -> None:
    with pytest.raises(InterruptedByUserError):
        run(1, reported=None, is_interrupted=True)


def test_an_interrupted_run_that_did_not_end_in_time_names_what_is_left_of_it(
    run: Callable[..., None], left: Path
) -> None:
    with pytest.raises(InterruptedByUserError) as interrupted:
        run(-9, reported=None, is_interrupted=True)
    assert str(left) in str(interrupted.value)


ON_AWS = replace(
    DEPLOYMENT,
    target="aws",
    endpoint=None,
    api_url="https://a1.execute-api.us-east-1.amazonaws.com/v1",
    outputs={"Wiring": "queued"},
)


@pytest.fixture
def on_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The verb loads a stack on AWS; this is what Locust was started with."""
    started: list[Sequence[str]] = []
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(known, "choose", lambda *_: (ON_AWS, None))
    connection = Connection("us-east-1", None, EMULATOR_CREDENTIALS)
    monkeypatch.setattr(known, "connect", lambda _: connection)

    def locust(command: Sequence[str], *_: Any) -> tuple[int, bool]:
        started.append(command)
        return 70, False

    monkeypatch.setattr(verb, "_run", locust)
    return started


def load(*arguments: str) -> Result:
    return CliRunner().invoke(program.app, ["load", *arguments])


def test_a_cheap_run_on_aws_says_its_price_and_starts(on_aws: list[Sequence[str]]) -> None:
    ended = load("--duration", "10s")
    assert "Estimated cost: at most about $0.0" in ended.output
    assert "\n  " not in ended.output
    assert on_aws[0][-6:] == ["--arrivals", "mixed", "--run-time", "10s", "--max-ops", "5000000"]


def test_a_dear_run_on_aws_does_not_start_where_nobody_can_agree(
    on_aws: list[Sequence[str]],
) -> None:
    ended = load("write", "--rate", "1000", "--duration", "1h")
    assert isinstance(ended.exception, NotStartedError)
    assert "more than --max-cost 1.00" in str(ended.exception)
    assert "say --yes" in str(ended.exception)
    assert "DynamoDB write units" in ended.output
    assert not on_aws


@pytest.mark.parametrize("agreed", [["--yes"], ["--max-cost", "100"]])
def test_a_dear_run_on_aws_starts_when_it_is_agreed(
    on_aws: list[Sequence[str]], agreed: list[str]
) -> None:
    load("write", "--rate", "1000", "--duration", "1h", *agreed)
    [command] = on_aws
    assert not {"--yes", "--max-cost"} & set(command)


def test_a_run_on_an_emulator_has_no_price(run: Callable[..., None]) -> None:
    run(0, reported=0)
    assert "cost" not in load().output


def test_help_names_the_options_of_a_load_run() -> None:
    shown = CliRunner().invoke(program.app, ["load", "--help"], terminal_width=80).output
    for option in (
        "--users",
        "--duration",
        "--arrivals",
        "--seed",
        "--read-share",
        "--max-ops",
        "--max-errors",
    ):
        assert option in shown
    assert {"--lag-deadline", "--json"} <= set(shown.split())
