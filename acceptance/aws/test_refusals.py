"""What must not begin on AWS does not: one sentence, exit code 64, and no call."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tidemark import targets
from tidemark.doctor import credentials, examination
from tidemark.doctor.finding import State
from tidemark.errors import NotStartedError
from tidemark.host import ports
from tidemark.targets.aws import AwsTarget
from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import choose

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import boto3

    from acceptance.aws.conftest import Run

VERBS = (["up", "--yes"], ["down", "--yes"], ["destroy", "--yes"], ["diff"], ["status"], ["logs"])

# Surroundings that leave a doubt: variables, the configuration file, and what is said of them.
NO_CREDENTIALS = ({"AWS_REGION": "eu-west-1"}, "", "There are no AWS credentials: set AWS_PROFILE")
DOUBTFUL: list[tuple[dict[str, str], str, str]] = [
    ({}, "", "AWS needs a region: set AWS_REGION"),
    ({"AWS_PROFILE": "gone"}, "", r"\(gone\) could not be found: correct AWS_PROFILE"),
    (
        {"AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"},
        "[profile work]\nregion = eu-west-1\n",
        "AWS_ACCESS_KEY_ID and AWS_PROFILE are both set",
    ),
    (
        {"AWS_PROFILE": "work", "AWS_DEFAULT_PROFILE": "home"},
        "[profile work]\n[profile home]\n",
        "name different profiles",
    ),
    (
        {"AWS_PROFILE": "work"},
        "[profile work]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:4566\n",
        "The AWS profile has an endpoint_url",
    ),
    (
        {"AWS_PROFILE": "work"},
        "[profile work]\nregion = eu-west-1\nservices = local\n",
        "The AWS profile has an endpoint_url or services",
    ),
    (
        {"AWS_PROFILE": "work"},
        "[profile work\n",
        "Unable to parse config file: .*: correct it, or name another one",
    ),
    (
        {"AWS_REGION": "eu-west-1", "TIDEMARK_AWS_ACCOUNT": ""},
        "",
        "TIDEMARK_AWS_ACCOUNT is set and names no account",
    ),
]


@pytest.fixture
def no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any call of AWS fails the test."""

    def send(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("AWS was called")

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)


@pytest.mark.usefixtures("credentials", "no_calls")
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"])
def test_an_endpoint_variable_is_refused_by_every_verb(
    run: Run, monkeypatch: pytest.MonkeyPatch, verb: list[str], name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:4566")

    ended = run(*verb, "--target", "aws")

    assert ended.exit_code == 64
    assert f"{name} would send AWS calls elsewhere: unset it" in ended.sentence


@pytest.mark.usefixtures("credentials", "no_calls")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["up"], "this is not a terminal: say --yes"),
        (["down"], "this is not a terminal: say --yes"),
        (["destroy"], "this is not a terminal: say --yes"),
        (["up", "--yes", "--endpoint-url", "http://127.0.0.1:1"], "goes with --target endpoint"),
        (["up", "--yes", "--deploy-with", "cdklocal"], "cdklocal deploys to emulators"),
        (["up", "--yes", "--deploy-with", "sam"], "Nothing deploys with 'sam': choose cdk or"),
        (["up", "--yes", "-c", "retension=retain"], "There is no context 'retension'"),
        (["up", "--yes", "-c", "retention=forever"], "no retention 'forever': choose destroy"),
        (["up", "--yes", "-c", "alarm_topic_arn=me"], "'me' is not the ARN of an SNS topic"),
        (["up", "--yes", "--retention", "keep"], "There is no retention 'keep'"),
        (
            ["up", "--yes", "--retention", "retain", "-c", "retention=destroy"],
            "Two options name a retention",
        ),
        (["up", "--yes", "--tag", "team"], "--tag team is no pair"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_call(
    run: Run, arguments: list[str], said: str
) -> None:
    ended = run(*arguments, "--target", "aws")

    assert ended.exit_code == 64
    assert said in ended.sentence


@pytest.fixture
def _surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environ: dict[str, str], config: str
) -> None:
    (tmp_path / "aws-config").write_text(config)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("no_calls", "_surroundings")
@pytest.mark.parametrize(("environ", "config", "said"), [NO_CREDENTIALS, *DOUBTFUL])
def test_surroundings_that_leave_a_doubt_are_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(NotStartedError, match=said):
        targets.create("aws", TargetOptions(state=tmp_path)).start()


@pytest.mark.usefixtures("no_calls", "_surroundings")
@pytest.mark.parametrize(("environ", "config", "said"), DOUBTFUL)
def test_doctor_calls_a_problem_what_up_refuses(tmp_path: Path, said: str) -> None:
    finding = credentials.settings(AwsTarget(TargetOptions(state=tmp_path)))

    assert finding.state is State.PROBLEM
    assert finding.fix is not None
    assert re.search(said, f"{finding.says}: {finding.fix}")


@pytest.mark.usefixtures("no_calls")
def test_doctor_for_aws_looks_for_credentials_and_at_what_would_lead_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    found = examination.examine("aws", os.environ, with_aws=False)

    problems = {one.name for one in found.findings if one.state is State.PROBLEM}
    assert {"AWS credentials", "AWS settings"} <= problems


def test_another_account_than_the_named_one_is_refused(
    run: Run, account: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", "999999999999")

    ended = run("up", "--target", "aws", "--yes")

    assert ended.exit_code == 64
    assert (
        "These credentials are of account 123456789012 where 999999999999 is expected"
        in ended.sentence
    )
    assert account.client("cloudformation").list_stacks()["StackSummaries"] == []


@pytest.mark.usefixtures("credentials", "no_calls")
def test_auto_is_never_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    options = TargetOptions(state=tmp_path)
    environ = {"AWS_PROFILE": "work", "AWS_REGION": "eu-west-1"}

    chosen = choose("auto", options, environ)

    assert chosen.name == "embedded"


@pytest.mark.usefixtures("credentials")
def test_aws_that_cannot_be_reached_is_a_failure_and_no_refusal(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{ports.choose(None)}")

    ended = run("status", "--target", "aws")

    assert ended.exit_code == 70
    assert "AWS in eu-west-1 cannot be reached: Failed to connect to proxy" in ended.sentence


def test_credentials_that_aws_refuses_are_named_with_what_to_do(
    run: Run, credentials: None, aws_answers: Callable[[int, str], None]
) -> None:
    del credentials
    aws_answers(403, "ExpiredToken")

    ended = run("status", "--target", "aws")

    assert ended.exit_code == 70
    assert "AWS refuses these credentials (ExpiredToken): log in again" in ended.sentence


@pytest.fixture
def aws_answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], None]:
    """Lets every call of AWS be answered with an error of that status and code."""
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415 -- this fixture alone needs it
    from botocore.compat import HTTPHeaders  # noqa: PLC0415 -- likewise

    class Raw:
        def __init__(self, body: bytes) -> None:
            self._body = body

        def stream(self) -> list[bytes]:
            return [self._body]

    def answer(status: int, code: str) -> None:
        body = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()

        def send(_: object, request: Any) -> AWSResponse:
            return AWSResponse(request.url, status, HTTPHeaders(), Raw(body))

        monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)

    return answer
