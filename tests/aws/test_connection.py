from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import (
    EMULATOR_CREDENTIALS,
    Connection,
    Credentials,
    clean_environment,
    for_children,
    keys_for,
)

EMULATOR = Connection(
    region="us-east-1",
    endpoint="http://127.0.0.1:4000",
    credentials=EMULATOR_CREDENTIALS,
)


def test_the_callers_aws_and_cdk_settings_end_here() -> None:
    env = clean_environment(
        {
            "AMAZON_SESSION_TOKEN": "theirs",
            "AWS_PROFILE": "work",
            "AWS_ENDPOINT_URL_SQS": "x",
            "CDK_NEW_BOOTSTRAP": "1",
            "HOME": "/h",
        }
    )

    assert {key for key in env if key.startswith(("AMAZON_", "AWS_", "CDK_"))} == {
        "AWS_CONFIG_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_SHARED_CREDENTIALS_FILE",
    }
    assert env["HOME"] == "/h"


def test_no_shared_file_and_no_role_of_the_machine_is_left_to_find_credentials_in() -> None:
    env = clean_environment({"AWS_CONFIG_FILE": "/home/me/.aws/config"})

    assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert env["AWS_EC2_METADATA_DISABLED"] == "true"


def test_proxy_certificate_and_registry_settings_pass() -> None:
    passed = {
        "HTTPS_PROXY": "http://proxy:3128",
        "SSL_CERT_FILE": "/ca.pem",
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
        "UV_INDEX_URL": "https://index",
        "npm_config_registry": "https://registry",
    }

    assert passed.items() <= clean_environment(passed).items()


def test_loopback_is_never_behind_a_proxy() -> None:
    env = clean_environment({"NO_PROXY": "example.com, localhost"})

    assert env["NO_PROXY"] == "example.com,localhost,127.0.0.1,::1"
    assert env["no_proxy"] == "127.0.0.1,localhost,::1"


def test_a_child_of_an_emulator_knows_its_endpoint_and_no_shared_file() -> None:
    env = for_children(EMULATOR, {"AWS_CONFIG_FILE": "/home/me/.aws/config"})

    assert env["AWS_ENDPOINT_URL"] == env["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:4000"
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "us-east-1"
    assert env["AWS_CONFIG_FILE"] == env["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]) == ("test", "test")


def test_a_target_with_its_own_certificates_and_session_says_so_to_its_children() -> None:
    connection = Connection(
        region="eu-west-1",
        endpoint="https://127.0.0.1:9297",
        credentials=Credentials("key", "secret", "token"),
        ca_bundle=Path("/ca.pem"),
        account="123456789012",
    )

    env = for_children(connection, {})

    assert env["AWS_CA_BUNDLE"] == env["NODE_EXTRA_CA_CERTS"] == "/ca.pem"
    assert env["AWS_SESSION_TOKEN"] == "token"


def test_credentials_do_not_show() -> None:
    shown = repr(Connection(region="r", credentials=Credentials("key", "hidden", "hidden too")))

    assert "hidden" not in shown


def test_clients_see_nothing_of_the_callers_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-south-1\nendpoint_url = http://elsewhere\n")
    for name, value in {
        "AWS_PROFILE": "no-such-profile",
        "AWS_CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL": "http://elsewhere",
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_ACCESS_KEY_ID": "callers",
        "AWS_SECRET_ACCESS_KEY": "callers",
    }.items():
        monkeypatch.setenv(name, value)

    clients = AwsClients(EMULATOR)

    assert clients.sqs.meta.endpoint_url == "http://127.0.0.1:4000"
    assert clients.sqs.meta.region_name == "us-east-1"
    credentials = clients.credentials
    assert credentials is not None
    assert credentials.access_key == "test"


def test_clients_of_an_emulator_never_go_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    config: Any = AwsClients(EMULATOR).sqs.meta.config
    assert config.proxies == {}


@pytest.mark.parametrize(
    ("changed", "secret"),
    [
        ({}, "of that emulator"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4001"}, "test"),
        ({"AWS_ENDPOINT_URL": ""}, "test"),
        ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "test"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "test"),
    ],
)
def test_an_emulators_own_keys_count_beside_its_endpoint_alone(
    changed: dict[str, str], secret: str
) -> None:
    endpoint = "http://127.0.0.1:4000"
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "of that emulator",
    }

    found = keys_for(endpoint, environment | changed)

    assert (found.access_key_id, found.secret_access_key) == ("test", secret)
