"""Credentials are there or not; what they are stays where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize("environ", [{}, {"AWS_PROFILE": "wrok"}])
def test_on_the_aws_target_missing_credentials_are_a_problem(environ: dict[str, str]) -> None:
    finding = credentials.present(environ, is_needed=True)

    assert finding.state is State.PROBLEM
    assert "AWS_PROFILE" in (finding.fix or "")


def test_a_broken_file_is_a_warning(home: Path) -> None:
    (home / "config").write_text("[profile\n", encoding="utf-8")

    assert credentials.present({}, is_needed=False).state is State.WARNING


def test_endpoint_variables_are_named() -> None:
    environ = {"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_S3": "http://x"}

    [finding] = credentials.endpoints(environ)

    assert finding.state is State.WARNING
    assert finding.says == "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 is set"
    assert list(credentials.endpoints({})) == []
