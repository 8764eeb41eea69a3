"""What children and clients get on AWS: the caller's credentials, and nothing that leads astray."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from acceptance.aws.conftest import ACCOUNT, REGION
from tidemark import targets
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Connection, for_children
from tidemark.errors import NotStartedError
from tidemark.targets.aws import AwsTarget
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CALLER = {
    "HOME": "/home/me",
    "AWS_PROFILE": "work",
    "AWS_CONFIG_FILE": "/home/me/.aws/config",
    "AWS_REGION": "us-west-2",
    "AWS_DEFAULT_REGION": "us-west-2",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:4566",
    "CDK_DEFAULT_ACCOUNT": "999999999999",
    "HTTPS_PROXY": "http://proxy:3128",
}


def target(tmp_path: Path, settings: Mapping[str, str] | None = None) -> AwsTarget:
    created = targets.create("aws", TargetOptions(state=tmp_path, settings=settings or {}))
    assert isinstance(created, AwsTarget)
    return created


def test_children_of_an_emulator_have_none_of_the_callers_credentials() -> None:
    emulator = Connection(region=REGION, endpoint="http://127.0.0.1:4000")

    env = for_children(emulator, CALLER)

    assert not {"AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} & env.keys()
    assert env["AWS_CONFIG_FILE"] == os.devnull


@pytest.mark.usefixtures("account")
def test_the_target_knows_account_identity_and_region_once_it_answered(tmp_path: Path) -> None:
    aws = target(tmp_path)
    assert aws.settings == {}

    connection = aws.start()

    assert connection == Connection(region=REGION, account=ACCOUNT)
    assert aws.settings == {"account": ACCOUNT, "region": REGION}
    assert aws.identity.startswith(f"arn:aws:sts::{ACCOUNT}:")


@pytest.mark.usefixtures("account")
def test_a_recorded_deployment_keeps_its_region_and_its_account(tmp_path: Path) -> None:
    there = target(tmp_path, {"account": ACCOUNT, "region": "us-west-2"})
    elsewhere = target(tmp_path, {"account": "999999999999", "region": "us-west-2"})

    assert there.start().region == "us-west-2"
    with pytest.raises(NotStartedError, match="where 999999999999 is expected"):
        elsewhere.start()


@pytest.mark.usefixtures("credentials")
def test_a_record_and_a_variable_that_contradict_each_other_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", "999999999999")

    with pytest.raises(NotStartedError, match=f"recorded in account {ACCOUNT}, and TIDEMARK_AWS_"):
        _ = target(tmp_path, {"account": ACCOUNT}).expected_account


@pytest.mark.usefixtures("credentials")
def test_aws_that_does_not_answer_is_not_found(tmp_path: Path) -> None:
    assert target(tmp_path).find() is None


@pytest.mark.parametrize(
    ("region", "domain"), [("eu-west-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")]
)
def test_an_api_is_at_its_public_name(tmp_path: Path, region: str, domain: str) -> None:
    url = target(tmp_path).api_url(Connection(region=region), "a1b2", "v1")

    assert url == f"https://a1b2.execute-api.{region}.{domain}/v1"


@pytest.mark.usefixtures("account")
def test_clients_go_to_aws_itself(tmp_path: Path) -> None:
    clients = AwsClients(target(tmp_path).start())

    assert clients.dynamodb.meta.endpoint_url == f"https://dynamodb.{REGION}.amazonaws.com"
    assert clients.credentials is not None


def test_an_endpoint_is_no_aws(tmp_path: Path) -> None:
    with pytest.raises(NotStartedError, match="4000 is no AWS: TARGET=endpoint"):
        target(tmp_path).reach("http://127.0.0.1:4000", REGION)
