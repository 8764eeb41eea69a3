"""The CDK itself, with settings that lead it elsewhere, against a TLS end that plays AWS."""

from __future__ import annotations

import re
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import trustme

from tidemark.aws.connection import Connection, Credentials
from tidemark.deploy.assembly import Assembly
from tidemark.deploy.cdk import Cdk
from tidemark.host.processes import Children
from tidemark.host.state import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.aws.caller import Caller

CHECKOUT = Path(__file__).parents[1]
REGION = "eu-west-1"
SHOWN = "111111111111"
ANOTHER = "222222222222"
KEY = "AKIASHOWN"
_SIGNED = re.compile(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/")


@dataclass
class Aws:
    """What AWS was asked, by key and service; it knows whose the keys are, and refuses all else."""

    account: str = SHOWN
    asked: set[tuple[str, str]] = field(default_factory=set)

    def answer(self, authorization: str, body: str) -> tuple[int, str]:
        signed = _SIGNED.search(authorization)
        self.asked.add((signed[1], signed[2]) if signed else ("nobody", "anything"))
        if "Action=GetCallerIdentity" in body:
            result = (
                f"<Arn>arn:aws:iam::{self.account}:user/me</Arn><UserId>AIDA</UserId>"
                f"<Account>{self.account}</Account>"
            )
            name = "GetCallerIdentity"
            return 200, f"<{name}Response><{name}Result>{result}</{name}Result></{name}Response>"
        code = "<Code>AccessDenied</Code><Message>no</Message>"
        return 403, f"<ErrorResponse><Error><Type>Sender</Type>{code}</Error></ErrorResponse>"


@dataclass(frozen=True)
class Keys:
    """A caller with one pair of keys."""

    settings: dict[str, str] = field(default_factory=dict)

    def snapshot(self) -> Credentials:
        return Credentials(KEY, "secret")


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """A proxy behind which every host is this one, with a certificate to trust."""
    aws, ca = Aws(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(f"*.{REGION}.amazonaws.com", "*.amazonaws.com").configure_cert(context)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = (
                self.connection.makefile("rb"),
                cast("Any", self.connection.makefile("wb", buffering=0)),
            )
            self.close_connection = False

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            status, text = aws.answer(self.headers.get("authorization", ""), body)
            self.send_response(status)
            self.send_header("content-type", "text/xml")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = do_HEAD = do_POST  # noqa: N815 -- the names that http.server calls

        def finish(self) -> None:
            super().finish()
            self.connection.close()  # the one that TLS made of the server's own

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_address[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield aws
        server.shutdown()
        thread.join()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person whose settings are those of another account, wherever programs look."""
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    keys = "aws_access_key_id = AKIAANOTHER\naws_secret_access_key = other\n"
    (home / ".aws" / "credentials").write_text(f"[default]\n{keys}[work]\n{keys}")
    (home / ".aws" / "config").write_text(f"[default]\nregion = {REGION}\n")
    write_json(home / ".cdk.json", {"profile": "work"})
    monkeypatch.setenv("HOME", str(home))
    for name, value in {
        "AMAZON_ACCESS_KEY_ID": "AKIAANOTHER",
        "AMAZON_SESSION_TOKEN": "another",
        "AWS_PROFILE": "work",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(home / "token"),
        "CDK_DEFAULT_ACCOUNT": ANOTHER,
    }.items():
        monkeypatch.setenv(name, value)


def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the CDK says when a stack is to be deployed to the account that was shown."""
    # What is refused before is what is tried here.
    monkeypatch.setattr("tidemark.deploy.cdk.refuse_settings_that_choose", lambda _: None)
    made = tmp_path / "made"
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": "T.template.json", "stackName": "Tidemark"},
    }
    made.mkdir()
    write_json(made / "T.template.json", {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    write_json(made / "manifest.json", {"version": "36.0.0", "artifacts": {"T": stack}})
    pinned = Assembly.read(made).pinned(tmp_path / "pinned", SHOWN, REGION)
    connection = Connection(
        region=REGION,
        account=SHOWN,
        ca_bundle=tmp_path / "ca.pem",
        caller=cast("Caller", Keys()),
    )
    cdk = Cdk(CHECKOUT, tmp_path / "state", Children())
    return cdk.deploy(pinned.folder, pinned.stacks[0].id, connection, {}).output


@pytest.mark.usefixtures("elsewhere")
def test_the_cdk_signs_with_the_keys_that_were_shown_and_no_others(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tmp_path, monkeypatch)

    assert {key for key, _ in aws.asked} == {KEY}
    assert {service for _, service in aws.asked} >= {"sts", "cloudformation"}


@pytest.mark.usefixtures("elsewhere")
def test_the_cdk_deploys_to_no_other_account_by_itself(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.account = ANOTHER

    said = deploy(tmp_path, monkeypatch)

    assert f"account {SHOWN}, but the current credentials are for {ANOTHER}" in said
    assert {service for _, service in aws.asked} == {"sts"}
