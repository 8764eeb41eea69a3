"""There is one way to AWS, the target's: whatever is started here goes through its checks."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.project.reading import ROOT
from tidemark import targets
from tidemark.aws.connection import endpoint_variables
from tidemark.errors import NotStartedError
from tidemark.host.deployment import Deployment
from tools import run_handler
from tools.bench import cold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Tests bring AWS along that is none; Lambda's code has the role of its function.
_ELSEWHERE = {"tests", "functions", "build", "node_modules"}
_OF_LAMBDA = "examples/parcels/parcels/"
_MAKERS = (
    "aioboto3",
    "aiobotocore",
    "boto3.Session",
    "boto3.client",
    "boto3.resource",
    "boto3.session",
    "botocore.client",
    "botocore.session",
)
# Who may have what clients are made of, and what for.
_MAY_MAKE = {
    "acceptance/noting_calls.py": "notes what clients call",
    "tidemark/aws/caller.py": "finds credentials, and asks whose they are",
    "tidemark/aws/clients.py": "makes clients, on AWS for a caller that was found",
    "tidemark/doctor/credentials.py": "reads settings",
    "tidemark/targets/aws.py": "reads settings, and has the caller found",
}
_READS_ALONE = {
    "acceptance/noting_calls.py",
    "tidemark/doctor/credentials.py",
    "tidemark/targets/aws.py",
}
# What can be started, and how it comes to AWS if at all.
_ENTRIES = {
    "acceptance/load/clock_ahead.py": "through the target of the deployment",
    "acceptance/load/interrupted_in_a_call.py": "no",
    "acceptance/noting_calls.py": "as the command line",
    "integration/recording.py": "no",
    "integration/recording_app.py": "no",
    "examples/parcels/app.py": "no",
    "loadtest/__main__.py": "through the target of the deployment",
    "loadtest/container.py": "through the target of the deployment",
    "loadtest/locustfile.py": "through the target of the deployment",
    "stack/app.py": "no",
    "stack/load_stack.py": "no",
    "stack/template.py": "no",
    "tidemark/__main__.py": "as the command line",
    "tidemark/pytest_plugin.py": "through the target of the session",
    "tidemark/targets/guard/server.py": "no",
    "tools/aws_roles.py": "no",
    "tools/bench/__main__.py": "no",
    "tools/bench/cold.py": "through the target of the deployment",
    "tools/bench/generator_users.py": "no",
    "tools/bench/histories.py": "no",
    "tools/bench/little_bank.py": "no",
    "tools/bench/unsigned_server.py": "no",
    "tools/checker.py": "no",
    "tools/map.py": "no",
    "tools/promises.py": "no",
    "tools/redaction.py": "no",
    "tools/run_folder.py": "no",
    "tools/run_handler.py": "through the target of the deployment",
    "tools/wirings.py": "no",
}
_IS_STARTED = re.compile(r'^if __name__ == "__main__":', re.MULTILINE)
_NO_GUARD = {"__main__.py", "locustfile.py", "pytest_plugin.py"}
DEPLOYMENT = Deployment(
    target="aws",
    endpoint=None,
    region="eu-west-1",
    stack_name="Tidemark",
    api_url="https://a1b2.execute-api.eu-west-1.amazonaws.com/v1",
    outputs={"RestApiId": "a1b2", "CommandHandlerName": "f", "QueryHandlerName": "f"},
    template_digest="d" * 64,
    settings={"account": "111111111111", "region": "eu-west-1"},
)


def sources() -> Iterator[tuple[str, str]]:
    """Every Python file that is no test's and not Lambda's, by its place."""
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT)
        is_hidden = any(part.startswith(".") for part in place.parts)
        is_lambdas = place.as_posix().startswith(_OF_LAMBDA)
        is_moto = place.parts[:2] == ("acceptance", "aws")
        if not (is_hidden or is_lambdas or is_moto or _ELSEWHERE & set(place.parts[:-1])):
            yield place.as_posix(), path.read_text(encoding="utf-8")


def imports(text: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names}
    return found


def makes_clients(text: str) -> bool:
    """Whether it has what clients can be made of."""
    return any(one in {"boto3", "botocore"} or one.startswith(_MAKERS) for one in imports(text))


def calls(text: str) -> set[str]:
    """The names of all that is called."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = node.func
            found.add(name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", ""))
    return found


def test_clients_are_made_in_one_place() -> None:
    found = {place for place, text in sources() if makes_clients(text)}

    assert found == _MAY_MAKE.keys()


@pytest.mark.parametrize("text", ["import boto3", "from botocore.session import Session"])
def test_another_place_would_be_seen(text: str) -> None:
    assert makes_clients(text)
    assert not makes_clients("from boto3.dynamodb.types import TypeDeserializer")


@pytest.mark.parametrize("place", sorted(_READS_ALONE))
def test_who_reads_settings_makes_no_client(place: str) -> None:
    text = (ROOT / place).read_text(encoding="utf-8")

    assert not calls(text) & {"create_client", "client", "resource", "get_credentials"}


def test_a_caller_is_found_by_the_target_alone() -> None:
    finders = {
        place
        for place, text in sources()
        if calls(text) & {"caller_in", "Caller", "OnlyCaller"}
        # A workload's system has a caller, too, who is somebody else.
        and "tidemark.workloads.calling.Caller" not in imports(text)
    }

    assert finders == {
        "tidemark/aws/caller.py",
        "tidemark/aws/clients.py",
        "tidemark/targets/aws.py",
    }


def test_what_can_be_started_is_known() -> None:
    found = {
        place
        for place, text in sources()
        if _IS_STARTED.search(text) or Path(place).name in _NO_GUARD
    }

    assert found == _ENTRIES.keys()


@pytest.fixture
def somebody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A known deployment in one account, and keys of another; what AWS was asked."""
    asked: list[str] = []

    def call(_: Any, operation: str, __: Any) -> Any:
        asked.append(operation)
        arn = "arn:aws:iam::222222222222:user/me"
        return {"Account": "222222222222", "Arn": arn, "UserId": "AIDA"}

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", call)
    names = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "TIDEMARK_AWS_ACCOUNT", *endpoint_variables())
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATHEIRS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "theirs")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    DEPLOYMENT.save(tmp_path)
    return asked


def _with_arguments(main: Callable[[list[str]], None], *arguments: str) -> Callable[[], None]:
    return lambda: main([*arguments, "--target", "aws"])


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(_with_arguments(cold.main), id="tools.bench.cold"),
        pytest.param(
            _with_arguments(run_handler.main, "query_handler", "event.json"), id="tools.run_handler"
        ),
    ],
)
def test_a_tool_calls_nothing_in_another_account(
    start: Callable[[], None], somebody_else: list[str]
) -> None:
    with pytest.raises(SystemExit, match="account 222222222222 where 111111111111 is expected"):
        start()

    assert set(somebody_else) == {"GetCallerIdentity"}


@pytest.mark.usefixtures("somebody_else")
@pytest.mark.parametrize(
    "start", [lambda: cold.main([]), lambda: run_handler.main(["query_handler", "event.json"])]
)
def test_a_tool_goes_to_aws_only_where_it_is_named(start: Callable[[], None]) -> None:
    with pytest.raises(SystemExit, match="say so with --target aws"):
        start()


def test_a_connection_to_a_deployment_is_what_its_target_checked(somebody_else: list[str]) -> None:
    """So it is for `locust -f`, which is told of a deployment and of nothing else."""
    with pytest.raises(NotStartedError, match="account 222222222222 where 111111111111"):
        targets.connection_to(DEPLOYMENT)

    assert set(somebody_else) == {"GetCallerIdentity"}
    lifecycle = (ROOT / "loadtest" / "lifecycle.py").read_text(encoding="utf-8")
    assert "AwsClients(targets.connection_to(deployment))" in lifecycle
