"""A target is added by one file: here, an emulator by TLS with a private CA that checks signatures.

The next emulator is like that: https on loopback, certificates of its own, keys that change with
every run, an account that is not twelve zeros.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme
from botocore.config import Config
from botocore.exceptions import SSLError

from tests.api.servers import served
from tests.api.sigv4 import expected_signature
from tidemark import targets
from tidemark.api.exchange import Answer, Headers, Request
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.aws.api_clients import client_of
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Connection, for_children
from tidemark.deploy.bootstrap import bootstrap
from tidemark.deploy.cdk import Cdk
from tidemark.errors import TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.host.node import node
from tidemark.host.processes import Children
from tidemark.host.progress import Steps
from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.targets.base import Target

ACCOUNT = "210987654321"
REGION = "eu-central-1"
KEY_ID = "LSIAOFTHISRUN"
IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId>
<Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


@dataclass
class Emulator:
    """Answers who is asking, on the very keys of this run and no others."""

    home: Path
    secret_key: str = "of-this-run"
    services: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            bears, should = expected_signature(
                request.method, request.url, headers, request.body, self.secret_key
            )
        except (KeyError, ValueError):
            bears, should = "none", ""
        if bears != should:
            return Answer(403, Headers({}), b"<ErrorResponse/>")
        service = headers["authorization"].split("/")[3]
        self.services.append(service)
        if service == "execute-api":
            body = {"account_id": "a", "version": 1}
            return Answer(200, Headers({}), json.dumps(body).encode())
        return Answer(200, Headers({"content-type": "text/xml"}), IDENTITY.encode())

    def write_home(self, endpoint: str, ca: trustme.CA) -> None:
        self.home.mkdir()
        ca.cert_pem.write_to_path(self.home / "ca.pem")
        told = {"endpoint": endpoint, "region": REGION, "account": ACCOUNT}
        (self.home / "emulator.json").write_text(json.dumps(told))
        self.write_keys(self.secret_key)

    def write_keys(self, secret_key: str) -> None:
        self.secret_key = secret_key
        (self.home / "credentials").write_text(
            f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {secret_key}\n"
        )


@pytest.fixture(autouse=True)
def _added(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Puts the one file among the targets."""
    folder = str(Path(__file__).parent / "added")
    monkeypatch.setattr(targets, "__path__", [*targets.__path__, folder])
    yield
    sys.modules.pop("tidemark.targets.own_emulator", None)


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    running = Emulator(tmp_path / "home")
    with served(running, context) as endpoint:
        running.write_home(endpoint, ca)
        monkeypatch.setenv("OWN_EMULATOR_HOME", str(running.home))
        yield running


@pytest.fixture
def target(tmp_path: Path, emulator: Emulator) -> Target:  # noqa: ARG001 -- it runs by then
    return targets.create("own-emulator", TargetOptions(state=tmp_path / "state"))


def test_it_can_be_named_like_any_other(tmp_path: Path) -> None:
    assert "own-emulator" in targets.names()
    assert choose("own-emulator", TargetOptions(state=tmp_path), {}).name == "own-emulator"


def test_clients_trust_its_certificates_and_sign_with_its_keys(
    target: Target, emulator: Emulator
) -> None:
    connection = target.start()

    identity = AwsClients(connection).sts.get_caller_identity()

    assert identity["Account"] == ACCOUNT == connection.account
    assert set(emulator.services) == {"sts"}


def test_without_its_certificates_nobody_believes_it(target: Target) -> None:
    connection = target.start()
    stranger = Connection(
        region=REGION, endpoint=connection.endpoint, credentials=connection.credentials
    )

    once = Config(retries={"total_max_attempts": 1})
    with pytest.raises(SSLError):
        AwsClients(stranger).client("sts", once).get_caller_identity()


def test_keys_of_an_earlier_run_are_read_anew(target: Target, emulator: Emulator) -> None:
    earlier = target.start()
    emulator.write_keys("of-the-next-run")

    assert target.find() is not None
    emulator.secret_key = "of-a-run-that-nobody-was-told-about"
    with pytest.raises(TidemarkError, match="does not answer"):
        target.start()
    assert earlier.credentials is not None


CHILDREN = {
    "python": [
        sys.executable,
        "-c",
        "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])",
    ],
    # The CDK runs in Node, which has certificates of its own to trust.
    "node": [
        str(node()),
        "-e",
        "fetch(process.env.AWS_ENDPOINT_URL).then(answer => console.log(answer.status))",
    ],
}


@pytest.mark.parametrize(("program", "says"), [("python", ACCOUNT), ("node", "403")])
def test_children_reach_it_by_their_environment_alone(
    target: Target, program: str, says: str
) -> None:
    ended = subprocess.run(
        CHILDREN[program],
        env=for_children(target.start()),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ended.stdout.strip(), ended.returncode) == (says, 0), ended.stderr


def test_its_apis_are_called_by_tls_and_signed(target: Target, emulator: Emulator) -> None:
    connection = target.start()
    api_url = target.api_url(connection, "a1b2", "v1")
    deployment = Deployment(
        target=target.name,
        endpoint=connection.endpoint,
        region=REGION,
        stack_name="Tidemark",
        api_url=api_url,
        template_digest="0" * 64,
        outputs={},
    )
    with HttpxTransport(ca_bundle=connection.ca_bundle) as transport:
        client = client_of(deployment, AwsClients(connection), transport)
        answer = client.send(Request("GET", f"{api_url}/accounts/a", Headers({}), b""))

    assert urlsplit(api_url).scheme == "https"
    assert answer.status == 200
    assert emulator.services[-1] == "execute-api"


def test_a_recorded_deployment_on_it_is_reached_again(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = target.start()
    deployment = Deployment(
        target=target.name,
        endpoint=connection.endpoint,
        region=REGION,
        stack_name="Tidemark",
        api_url=target.api_url(connection, "a1b2", "v1"),
        template_digest="0" * 64,
        outputs={},
        settings=target.settings,
    )
    monkeypatch.delenv("OWN_EMULATOR_HOME")

    assert targets.connection_to(deployment) == connection
    assert "secret" not in str(deployment.settings)


def test_an_emulator_of_another_account_is_not_deployed_to(
    target: Target, emulator: Emulator, tmp_path: Path
) -> None:
    told = json.loads((emulator.home / "emulator.json").read_text()) | {"account": "1" * 12}
    (emulator.home / "emulator.json").write_text(json.dumps(told))
    cdk = Cdk(tmp_path, tmp_path, Children())

    with pytest.raises(TidemarkError, match=f"answers for account {ACCOUNT} where 1{{12}} is"):
        bootstrap(target, AwsClients(target.start()), cdk, Steps())
