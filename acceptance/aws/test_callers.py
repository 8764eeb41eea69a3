"""Where credentials can come from, one source after the other, and what children get of them."""

from __future__ import annotations

import sys
from functools import partialmethod
from typing import Any

import pytest
from botocore.credentials import AssumeRoleProvider

from acceptance.aws.sources import (
    ROLE,
    SECRET,
    Aws,
    Home,
    keys_of_children,
    said,
    write_program,
    write_role,
    write_sso,
)
from tidemark.errors import NotStartedError, TidemarkError


@pytest.mark.usefixtures("aws")
def test_keys_of_the_environment_are_handed_on(home: Home) -> None:
    home.set(AWS_ACCESS_KEY_ID="AKIA", AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN="token")

    env = keys_of_children(home.start())

    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_SESSION_TOKEN"]) == ("AKIA", "token")


@pytest.mark.usefixtures("aws")
def test_a_profile_with_keys_is_resolved(home: Home) -> None:
    home.write(
        f"[profile work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = {SECRET}\n"
        "[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = other\n"
    )
    home.set(AWS_PROFILE="work")

    env = keys_of_children(home.start())

    assert env["AWS_ACCESS_KEY_ID"] == "AKIAWORK"
    assert "AWS_SESSION_TOKEN" not in env


def test_a_role_is_assumed_once_and_its_session_handed_on(home: Home, aws: Aws) -> None:
    write_role(home)

    env = keys_of_children(home.start())

    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_SESSION_TOKEN"])[1] == "token"
    assert env["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert aws.asked[-1] == "GetCallerIdentity"


def test_a_role_that_may_not_be_assumed_is_named_in_a_sentence(home: Home, aws: Aws) -> None:
    write_role(home)
    aws.refuses = "AssumeRole"

    with pytest.raises(TidemarkError, match=r"AWS gives no credentials \(.*AccessDenied.*correct"):
        home.start()


@pytest.mark.usefixtures("aws")
def test_an_mfa_code_is_asked_for_by_no_program_that_nobody_reads(home: Home) -> None:
    write_role(home, "mfa_serial = arn:aws:iam::123456789012:mfa/me\n")

    with pytest.raises(NotStartedError, match="asks for an MFA code and this is no terminal"):
        home.start()


def test_a_code_is_typed_once_and_its_session_may_end_within_the_hour(
    home: Home, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_role(home, "mfa_serial = arn:aws:iam::123456789012:mfa/me\n")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    typed: list[str] = []

    def type_it(asked: str) -> str:
        typed.append(asked)
        return "123456"

    find = AssumeRoleProvider.__init__
    monkeypatch.setattr(AssumeRoleProvider, "__init__", partialmethod(find, prompter=type_it))
    aws.role_for_minutes = 59

    keys_of_children(home.start())

    assert (len(typed), aws.asked.count("AssumeRole")) == (1, 1)


def test_a_web_identity_is_exchanged_and_its_token_is_not_handed_on(home: Home, aws: Aws) -> None:
    token = home.folder / "token"
    token.write_text("signed")
    home.set(AWS_WEB_IDENTITY_TOKEN_FILE=str(token), AWS_ROLE_ARN=ROLE)

    env = keys_of_children(home.start())

    assert env["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert "AssumeRoleWithWebIdentity" in aws.asked
    assert "AWS_ROLE_ARN" not in env


@pytest.mark.usefixtures("aws")
def test_a_web_identity_beside_a_profile_is_refused(home: Home) -> None:
    write_role(home)
    home.set(AWS_WEB_IDENTITY_TOKEN_FILE="/token", AWS_ROLE_ARN=ROLE)

    with pytest.raises(NotStartedError, match="AWS_WEB_IDENTITY_TOKEN_FILE and AWS_PROFILE are"):
        home.start()


def test_a_login_by_sso_gives_the_keys_of_its_role(home: Home, aws: Aws) -> None:
    write_sso(home)

    env = keys_of_children(home.start())

    assert env["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert "GetRoleCredentials" in aws.asked


@pytest.mark.usefixtures("aws")
def test_a_login_by_sso_that_is_over_says_to_log_in(home: Home) -> None:
    write_sso(home, -5)

    with pytest.raises(TidemarkError, match=r"The login at AWS is over .*log in again"):
        home.start()


@pytest.mark.usefixtures("aws")
def test_a_program_that_has_credentials_is_run_here_alone(home: Home) -> None:
    write_program(home, said("ASIAPROGRAM", 90))

    assert keys_of_children(home.start())["AWS_ACCESS_KEY_ID"] == "ASIAPROGRAM"


@pytest.mark.usefixtures("aws")
def test_a_program_that_fails_is_named_in_a_sentence(home: Home) -> None:
    home.write(f'[profile work]\ncredential_process = {sys.executable} -c "exit(3)"\n')
    home.set(AWS_PROFILE="work")

    with pytest.raises(TidemarkError, match=r"The credentials cannot be had .*custom-process"):
        home.start()


@pytest.mark.usefixtures("aws")
def test_a_container_has_its_role(home: Home, role_server: tuple[str, Any]) -> None:
    home.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{role_server[0]}/task")

    assert keys_of_children(home.start())["AWS_ACCESS_KEY_ID"] == "ASIAROLE"


@pytest.mark.usefixtures("aws")
def test_an_instance_has_its_role(home: Home, role_server: tuple[str, Any]) -> None:
    home.set(
        NO_PROXY="127.0.0.1",
        AWS_EC2_METADATA_DISABLED="false",
        AWS_EC2_METADATA_SERVICE_ENDPOINT=role_server[0],
    )

    assert keys_of_children(home.start())["AWS_ACCESS_KEY_ID"] == "ASIAROLE"
