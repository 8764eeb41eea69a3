"""The embedded target as the emulator's own code answers behind its guard."""

from __future__ import annotations

import io
import json
import os
import signal
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from botocore.exceptions import ClientError

from tidemark.api.exchange import Headers, Request
from tidemark.api.signing import sign
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Credentials
from tidemark.host.state import read_json
from tidemark.host.waiting import eventually
from tidemark.targets import emulators
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.aws.connection import Connection

NAMES_OF_ITS_ENVIRONMENT = """
import os
def handle(event, context):
    print("asked")
    return dict(os.environ)
"""
# What Lambda's runtime and the emulator tell a function, besides what it may know of the machine.
KNOWN = {
    *("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH"),
    *("PYTHONUNBUFFERED", "PYTHONUSERBASE", "TIDEMARK_MARK", "DOCKER_HOST"),
    *("BIND_HOST", "GATEWAY_PORT", "IOT_MTLS_ENABLED", "SFTP_ENABLED", "PERSIST_STATE"),
}
OF_ITS_RUNTIME = ("AWS_", "_LAMBDA_", "LAMBDA_", "MINISTACK_", "_MS_", "_MINISTACK_", "_HANDLER")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[EmbeddedTarget]:
    target = EmbeddedTarget(TargetOptions(state=tmp_path / "state"))
    yield target
    target.stop()


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    target = EmbeddedTarget(TargetOptions(state=tmp_path_factory.mktemp("state")))
    yield target.start()
    target.stop()


@pytest.fixture
def aws(connection: Connection) -> AwsClients:
    return AwsClients(connection)


def process_of(target: EmbeddedTarget) -> psutil.Process:
    record = read_json(target.options.state / "embedded" / "process.json")
    assert record is not None
    return psutil.Process(record["pid"])


def test_a_function_sees_nothing_of_the_developers_environment(
    target: EmbeddedTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "HTTPS_PROXY", "https_proxy", "AWS_PROFILE", "NODE_OPTIONS"):
        monkeypatch.setenv(name, "the developer's")
    functions = AwsClients(target.start()).functions
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("handler.py", NAMES_OF_ITS_ENVIRONMENT)
    functions.create_function(
        FunctionName="asked",
        Runtime="python3.13",
        Handler="handler.handle",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"ZipFile": code.getvalue()},
    )

    environment = json.loads(functions.invoke(FunctionName="asked")["Payload"].read())

    unknown = {name for name in environment if not name.startswith(OF_ITS_RUNTIME)} - KNOWN
    assert unknown == set()
    assert "the developer's" not in environment.values()
    assert environment["HOME"] != os.environ["HOME"]


def test_a_guard_that_is_killed_takes_its_target_down(target: EmbeddedTarget) -> None:
    endpoint = str(target.start().endpoint)

    process_of(target).send_signal(signal.SIGKILL)

    eventually(lambda: emulators.refuses(endpoint), within_s=10, what="nobody to listen")
    assert target.find() is None


def test_a_target_whose_key_is_gone_is_said_so_and_started_anew(
    target: EmbeddedTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    before = target.start()
    process = process_of(target)
    key = target.options.state / "embedded" / "key.json"
    key.unlink()

    after = target.start()

    assert f"The key of the embedded target is gone or cannot be read ({key}): it is started " in (
        capsys.readouterr().err
    )
    assert not process.is_running()
    assert after.credentials != before.credentials
    AwsClients(after).sqs.list_queues()


def test_what_only_looks_like_an_api_makes_no_function(aws: AwsClients) -> None:
    endpoint = aws.connection.endpoint
    body = json.dumps({"FunctionName": "theirs", "Role": "any", "Code": {"ZipFile": ""}})
    for host in ("x.execute-api.localhost", "0a1b2c3d.execute-api.localhost", "x.lambda-url.eu.a"):
        httpx.post(f"{endpoint}/2015-03-31/functions", headers={"Host": host}, content=body)
    httpx.post(f"{endpoint}/_aws/execute-api/x", content=body)

    assert aws.functions.list_functions()["Functions"] == []


def rest_api(aws: AwsClients, authorization: str) -> str:
    apis: Any = aws.client("apigateway")
    api_id = apis.create_rest_api(name="any")["id"]
    [root] = apis.get_resources(restApiId=api_id)["items"]
    where = {"restApiId": api_id, "resourceId": root["id"], "httpMethod": "GET"}
    apis.put_method(**where, authorizationType=authorization)
    apis.put_integration(**where, type="MOCK")
    apis.put_method_response(**where, statusCode="200")
    apis.put_integration_response(**where, statusCode="200")
    apis.create_deployment(restApiId=api_id, stageName="v1")
    return f"{aws.connection.endpoint}/_aws/execute-api/{api_id}/v1/"


def http_api(aws: AwsClients, authorization: str) -> str:
    """One whose route has no integration, which its caller hears; it decodes paths on its own."""
    apis: Any = aws.client("apigatewayv2")
    api_id = apis.create_api(Name="any", ProtocolType="HTTP")["ApiId"]
    apis.create_route(ApiId=api_id, RouteKey="GET /a%25b", AuthorizationType=authorization)
    apis.create_stage(ApiId=api_id, StageName="v1", AutoDeploy=True)
    return f"{aws.connection.endpoint}/_aws/execute-api/{api_id}/v1/a%25b"


@pytest.mark.parametrize("api", [rest_api, http_api])
def test_a_route_with_iam_takes_a_signature_and_nothing_for_one(aws: AwsClients, api: Any) -> None:
    url = api(aws, "AWS_IAM")
    request = Request("GET", url, Headers({}), b"")
    assert aws.credentials is not None
    signed = sign(request, credentials=aws.credentials, region=aws.connection.region)

    assert httpx.get(url).status_code == 403
    for claim in ("Bearer token", "Basic dTpw", "aws4-hmac-sha256 Credential=test/x"):
        assert httpx.get(url, headers={"Authorization": claim}).status_code == 403
    assert httpx.get(url, headers=dict(signed.headers)).status_code != 403


@pytest.mark.parametrize("api", [rest_api, http_api])
def test_a_route_without_authorization_is_callable_by_this_machine_alone(
    aws: AwsClients, api: Any
) -> None:
    url = api(aws, "NONE")

    assert httpx.get(url).status_code != 403
    assert httpx.get(url, headers={"Origin": "http://localhost:3000"}).status_code != 403
    assert httpx.get(url, headers={"Origin": "https://page.example"}).status_code == 403
    assert httpx.get(url, headers={"Host": "rebound.example"}).status_code == 403


def test_a_presigned_url_needs_no_key(aws: AwsClients) -> None:
    s3: Any = aws.client("s3")
    s3.create_bucket(Bucket="shared")
    s3.put_object(Bucket="shared", Key="a b", Body=b"shared")
    url = s3.generate_presigned_url("get_object", {"Bucket": "shared", "Key": "a b"})

    assert httpx.get(url).content == b"shared"
    assert httpx.get(url.partition("?")[0]).status_code == 403


def test_what_its_sts_issues_is_a_key_of_its_own(aws: AwsClients) -> None:
    keys = aws.sts.get_session_token()["Credentials"]
    issued = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    AwsClients(replace(aws.connection, credentials=issued)).sqs.list_queues()
    for other in (
        replace(issued, secret_access_key="another"),
        replace(issued, session_token="another"),
    ):
        with pytest.raises(ClientError, match=r"InvalidSignature|InvalidToken"):
            AwsClients(replace(aws.connection, credentials=other)).sqs.list_queues()
