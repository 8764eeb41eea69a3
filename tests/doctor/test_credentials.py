"""Credentials are there or not; what they are stays where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from tidemark.doctor import credentials
from tidemark.doctor.finding import State

if TYPE_CHECKING:
    from pathlib import Path

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without AWS files; a test may write some."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def test_no_credentials_are_well() -> None:
    finding = credentials.present({}, is_needed=False)

    assert finding.state is State.OK
    assert finding.says.startswith("none;")


def test_keys_in_the_environment_are_present_and_not_shown() -> None:
    finding = credentials.present(
        {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}, is_needed=False
    )

    assert finding.state is State.OK
    assert "present: keys in the environment" in finding.says
    assert KEY not in str(finding)


def test_keys_in_a_file_are_present_and_not_shown(home: Path) -> None:
    text = f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
    (home / "credentials").write_text(text, encoding="utf-8")

    finding = credentials.present({}, is_needed=False)

    assert "present: profile default (keys)" in finding.says
    assert KEY not in str(finding)
    assert SECRET not in str(finding)


def test_the_profile_that_is_asked_for_is_looked_at(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[profile work]\nsso_session = corp\n[sso-session corp]\nsso_region = eu-west-1\n"
    (home / "config").write_text(text, encoding="utf-8")
    monkeypatch.setenv("AWS_PROFILE", "work")

    assert (
        "present: profile work (SSO)"
        in credentials.present({"AWS_PROFILE": "work"}, is_needed=False).says
    )
    missing = credentials.present({"AWS_PROFILE": "wrok"}, is_needed=False)
    assert (missing.state, missing.says) == (State.WARNING, "there is no profile wrok")


def test_without_credentials_the_aws_target_is_warned_for_a_role_may_have_some() -> None:
    assert credentials.present({}, is_needed=True).state is State.WARNING


def test_on_the_aws_target_a_profile_that_is_not_there_is_a_problem() -> None:
    environ = {"AWS_PROFILE": "wrok", "AWS_ENDPOINT_URL": "http://x"}

    assert credentials.present(environ, is_needed=True).state is State.PROBLEM
    [endpoint] = credentials.endpoints(environ, is_needed=True)
    assert endpoint.state is State.PROBLEM


def test_a_broken_file_is_a_warning(home: Path) -> None:
    (home / "config").write_text("[profile\n", encoding="utf-8")

    assert credentials.present({}, is_needed=False).state is State.WARNING


def test_endpoint_variables_are_named() -> None:
    environ = {"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_S3": "http://x"}

    [finding] = credentials.endpoints(environ, is_needed=False)

    assert finding.state is State.WARNING
    assert finding.says == "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 is set"
    assert list(credentials.endpoints({}, is_needed=False)) == []


class Clients:
    """AWS clients whose STS answers, or raises."""

    def __init__(self, answer: str | Exception) -> None:
        self.sts = self
        self.answer = answer
        self.calls = 0

    def get_caller_identity(self) -> dict[str, Any]:
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Account": self.answer}


def test_aws_says_which_account() -> None:
    finding = credentials.asked({"AWS_REGION": "eu-west-1"}, Clients("123456789012"))

    assert (finding.state, finding.says) == (State.OK, "123456789012 in eu-west-1")


def test_another_account_than_the_wanted_one_is_a_problem() -> None:
    finding = credentials.asked({"TIDEMARK_AWS_ACCOUNT": "2"}, Clients("1"))

    assert (finding.state, finding.says) == (State.PROBLEM, "1, where 2 is wanted")


@pytest.mark.parametrize(
    "error",
    [
        NoCredentialsError(),
        ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "GetCallerIdentity"),
    ],
)
def test_credentials_that_do_not_work_are_a_problem_once_asked(error: Exception) -> None:
    assert credentials.asked({}, Clients(error)).state is State.PROBLEM


def test_with_an_endpoint_variable_nobody_is_asked() -> None:
    clients = Clients("1")

    finding = credentials.asked({"AWS_ENDPOINT_URL_STS": "http://x"}, clients)

    assert finding.state is State.PROBLEM
    assert clients.calls == 0
