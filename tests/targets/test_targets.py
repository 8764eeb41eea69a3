"""Choosing a target, and the parts of targets that need nothing running."""

from __future__ import annotations

import json
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tidemark import targets
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host import ports
from tidemark.targets import emulators
from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import choose

NO_ENDPOINTS = [
    "localhost:4566",
    "ftp://host",
    "http://",
    "http://[::1",
    "http://127.0.0.1:abc",
    "http://127.0.0.1:0",
    "http://127.0.0.1:99999",
    # What Docker calls a container may be no name of a host.
    "http://my_localstack:4566",
    "http://user:password@host:4566",
    "http://host:4566?region=eu-west-1",
    "http://host:4566#sqs",
]


@pytest.fixture
def options(tmp_path: Path) -> TargetOptions:
    return TargetOptions(state=tmp_path / "state")


def test_auto_with_an_endpoint_url_is_that_endpoint(tmp_path: Path) -> None:
    options = TargetOptions(state=tmp_path, endpoint_url="http://127.0.0.1:4566")

    assert choose("auto", options, {}).name == "endpoint"


def test_a_named_target_is_taken_as_it_is(options: TargetOptions) -> None:
    assert choose("localstack", options, {"CI": "true"}).why is None


@pytest.mark.parametrize(
    ("name", "endpoint_url", "sentence"),
    [
        ("cloud", None, "There is no target 'cloud': choose one of auto, aws, embedded"),
        ("embedded", "http://127.0.0.1:1", "--endpoint-url goes with --target endpoint"),
    ],
)
def test_a_target_that_cannot_be_is_refused(
    tmp_path: Path, name: str, endpoint_url: str | None, sentence: str
) -> None:
    with pytest.raises(NotStartedError, match=sentence):
        choose(name, TargetOptions(state=tmp_path, endpoint_url=endpoint_url), {})


@pytest.mark.parametrize(
    "url",
    [None, "", *NO_ENDPOINTS],
)
def test_an_endpoint_that_is_none_is_refused(tmp_path: Path, url: str | None) -> None:
    target = targets.create("endpoint", TargetOptions(state=tmp_path, endpoint_url=url))

    with pytest.raises(NotStartedError):
        target.start()


@pytest.mark.parametrize(
    "host",
    [
        "sqs.us-east-1.amazonaws.com",
        "sqs.us-east-1.amazonaws.com.",
        "SQS.US-EAST-1.AmazonAWS.com:443",
        "amazonaws.com",
        "sqs.cn-north-1.amazonaws.com.cn",
        "sqs.cn-north-1.api.amazonwebservices.com.cn",
        "sqs.eu-west-1.api.aws",
        "sqs.eusc-de-east-1.amazonaws.eu.",
        "sqs.eusc-de-east-1.api.amazonwebservices.eu",
        "sqs.us-iso-east-1.c2s.ic.gov",
        "sqs.us-isob-east-1.sc2s.sgov.gov",
        "sqs.eu-isoe-west-1.cloud.adc-e.uk",
        "sqs.us-isof-south-1.csp.hci.ic.gov",
        "abc.lambda-url.eu-west-1.on.aws",
        "x.aws.dev",
    ],
)
def test_no_name_of_awss_is_taken_for_an_emulator(tmp_path: Path, host: str) -> None:
    options = TargetOptions(state=tmp_path, endpoint_url=f"https://{host}/")

    with pytest.raises(NotStartedError, match="is AWS itself, and no emulator: take TARGET=aws"):
        targets.create("endpoint", options).start()


@pytest.mark.parametrize("given", ["http://ada:s3cret@host", "http://:s3cret@h", "http:s3cret@h"])
def test_no_sentence_repeats_a_password_that_an_endpoint_was_given_with(
    tmp_path: Path, given: str
) -> None:
    target = targets.create("endpoint", TargetOptions(state=tmp_path, endpoint_url=given))

    with pytest.raises(NotStartedError, match="is not the URL of an endpoint") as refused:
        target.start()

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("url", ["", *NO_ENDPOINTS])
def test_no_emulator_is_looked_for_where_there_can_be_none(url: str) -> None:
    with pytest.raises(
        NotStartedError, match=r"is not the URL of an endpoint, like http://host:4566"
    ):
        emulators.emulator_at(url)


def test_an_endpoint_where_nothing_answers_is_named(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{ports.choose(None)}"
    target = targets.create("endpoint", TargetOptions(state=tmp_path, endpoint_url=url + "/"))

    with pytest.raises(TidemarkError, match=f"No AWS answers at {url}: start it"):
        target.start()


def test_a_taken_port_is_refused_and_a_preferred_one_is_passed_over() -> None:
    with closing(socket.socket()) as listener:
        listener.bind((ports.LOOPBACK, 0))
        listener.listen()
        taken = listener.getsockname()[1]

        with pytest.raises(NotStartedError, match=f"Port {taken} is taken"):
            ports.choose(taken)
        assert ports.choose(None, preferred=taken) != taken
    assert ports.choose(taken) == taken
    assert ports.choose(None, preferred=taken) == taken


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(NotStartedError, match="is no port"):
        ports.choose(port)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's environment from /proc")
def test_ministack_is_kept_to_loopback_and_away_from_docker(options: TargetOptions) -> None:
    target = targets.create("embedded", options)
    try:
        connection = target.start()
        record = json.loads((options.state / "embedded" / "process.json").read_text())
        environ = Path(f"/proc/{record['pid']}/environ").read_bytes()
        env = dict(one.split(b"=", 1) for one in environ.split(b"\0") if b"=" in one)

        assert connection.endpoint == f"http://127.0.0.1:{record['port']}"
        assert env[b"BIND_HOST"] == b"127.0.0.1"
        assert env[b"DOCKER_HOST"].endswith(b"no-docker.sock")
        assert target.find() == connection
    finally:
        target.stop()
    assert target.find() is None
    assert not (options.state / "embedded" / "process.json").exists()
