"""Keys that end, are renewed, or are somebody else's by the time that they are used."""

from __future__ import annotations

from typing import Any

import pytest

from acceptance.aws.conftest import REGION
from acceptance.aws.sources import (
    SECRET,
    Aws,
    Home,
    ends_in,
    keys_of_children,
    said,
    write_program,
    write_role,
)
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Connection, for_children, for_ours
from tidemark.errors import NotStartedError, TidemarkError


@pytest.mark.usefixtures("aws")
def test_keys_that_end_within_the_hour_and_cannot_be_renewed_are_refused(
    home: Home, role_server: tuple[str, Any]
) -> None:
    home.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{role_server[0]}/task")
    role_server[1]["Expiration"] = ends_in(59)
    connection = home.start()

    with pytest.raises(NotStartedError, match="end within the hour and cannot be renewed"):
        for_children(connection)


def test_keys_that_can_be_renewed_are_before_a_child_gets_them(home: Home, aws: Aws) -> None:
    write_role(home)
    aws.role_for_minutes = 20
    connection = home.start()
    began = aws.renewals

    keys_of_children(connection)

    assert aws.renewals > began


def test_who_is_somebody_else_by_the_time_of_the_deploy_is_refused(home: Home, aws: Aws) -> None:
    home.set(AWS_ACCESS_KEY_ID="AKIA", AWS_SECRET_ACCESS_KEY=SECRET)
    connection = home.start()
    aws.account = "999999999999"

    with pytest.raises(NotStartedError, match=r"by now those of .* in account 999999999999"):
        for_children(connection)


def test_a_renewal_that_is_somebody_elses_signs_nothing(home: Home, aws: Aws) -> None:
    write_program(home, said("ASIAFIRST", 8))
    connection = home.start()
    credentials = AwsClients(connection).credentials
    assert credentials is not None
    assert credentials.get_frozen_credentials().access_key == "ASIAFIRST"
    write_program(home, said("ASIASECOND", 90))
    aws.account = "999999999999"

    with pytest.raises(NotStartedError, match="in account 999999999999"):
        credentials.get_frozen_credentials()


def test_a_renewal_of_the_same_principal_is_asked_about_once(home: Home, aws: Aws) -> None:
    write_program(home, said("ASIAFIRST", 8))
    credentials = AwsClients(home.start()).credentials
    assert credentials is not None
    write_program(home, said("ASIASECOND", 90))
    before = aws.asked.count("GetCallerIdentity")

    found = {credentials.get_frozen_credentials().access_key for _ in range(3)}

    assert found == {"ASIASECOND"}
    assert aws.asked.count("GetCallerIdentity") == before + 1


@pytest.mark.usefixtures("aws")
def test_a_program_of_ours_finds_and_checks_credentials_itself(home: Home) -> None:
    write_role(home)
    home.set(CDK_DEFAULT_ACCOUNT="1", AWS_DEFAULT_REGION="us-west-2")

    env = for_ours(home.start())

    assert env["AWS_PROFILE"] == "work"
    assert env["AWS_CONFIG_FILE"] == str(home.folder / "aws-config")
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == REGION
    assert "AWS_ACCESS_KEY_ID" not in env
    assert "CDK_DEFAULT_ACCOUNT" not in env


@pytest.mark.usefixtures("aws")
def test_certificates_and_endpoints_that_a_profile_names_are_handed_on(home: Home) -> None:
    home.write(
        f"[profile work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = {SECRET}\n"
        "ca_bundle = /ca.pem\nuse_fips_endpoint = true\n"
    )
    home.set(AWS_PROFILE="work")

    env = keys_of_children(home.start())

    assert env["AWS_CA_BUNDLE"] == "/ca.pem"
    assert env["AWS_USE_FIPS_ENDPOINT"] == "true"


def test_no_client_of_aws_is_made_past_its_target() -> None:
    with pytest.raises(TidemarkError, match="AWS is reached through its target alone"):
        AwsClients(Connection(region=REGION))
