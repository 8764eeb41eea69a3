"""An AWS account that is none: moto answers in the process, and nothing reaches the network."""

from __future__ import annotations

import http.server
import json
import os
import sys
import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3
import botocore.client
import botocore.session
import pytest
from botocore.loaders import create_loader
from moto import mock_aws

from tidemark.cli import program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from acceptance.aws.sources import Aws, Home

    Run = Callable[..., "Ended"]

ACCOUNT = "123456789012"  # moto's
REGION = "eu-west-1"
LOG_ROLE = f"arn:aws:iam::{ACCOUNT}:role/theirs"
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Ended:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def sentence(self) -> str:
        """All of standard error in one line, but for the line with the exit code."""
        return " ".join(" ".join(self.stderr.splitlines()[:-1]).split())


@pytest.fixture(scope="session", autouse=True)
def _descriptions_are_read_once() -> Iterator[None]:
    """Else each session of a test's own would read botocore's service descriptions again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(create_loader))
        yield


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the caller's AWS settings, and a proxy that leads nowhere."""
    for name in os.environ:
        if name.startswith(("AWS_", "CDK_", "TIDEMARK_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("CI", "DEPLOY_WITH", "ENDPOINT_URL", "PORT", "RETENTION", "STACK_NAME", "TARGET"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and a region; they open nothing."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-key")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session-token")
    monkeypatch.setenv("AWS_REGION", REGION)


@pytest.fixture
def account(credentials: None) -> Iterator[boto3.Session]:  # noqa: ARG001 -- they are in the environment
    """moto's account, in which API Gateway may write logs, and a session there."""
    with mock_aws():
        session = boto3.Session(region_name=REGION)
        session.client("apigateway").update_account(
            patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": LOG_ROLE}]
        )
        yield session


@pytest.fixture
def fresh_account(credentials: None) -> Iterator[boto3.Session]:  # noqa: ARG001 -- likewise
    """moto's account as AWS hands it over, and a session there."""
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield boto3.Session(region_name=REGION)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CDK app, where the program runs."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "cdk.json").write_text("{}")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(
    checkout: Path,  # noqa: ARG001 -- it is the working directory
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a verb in this process."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tidemark", *arguments])
        code = program.run()
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """What answers instead of AWS."""
    from acceptance.aws.sources import Aws  # noqa: PLC0415 -- it imports what is above

    fake = Aws()

    def call(client: Any, operation: str, arguments: Any) -> Any:
        return fake(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    return fake


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    from acceptance.aws.sources import Home  # noqa: PLC0415 -- likewise

    return Home(tmp_path, monkeypatch)


@pytest.fixture
def role_server() -> Iterator[tuple[str, dict[str, Any]]]:
    """What gives a container or an instance the keys of its role, and what it says."""
    from acceptance.aws.sources import SECRET, ends_in  # noqa: PLC0415 -- likewise

    keys = {
        "Code": "Success",
        "AccessKeyId": "ASIAROLE",
        "SecretAccessKey": SECRET,
        "Token": "token",
        "Expiration": ends_in(300),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._answer(b"imds-token")

        def do_GET(self) -> None:
            is_list = self.path.endswith("security-credentials/")
            self._answer(b"deployer" if is_list else json.dumps(keys).encode())

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", keys
    server.shutdown()
    thread.join()
    server.server_close()
