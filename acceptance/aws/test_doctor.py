"""Asked by doctor, AWS says what it would say to `up`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from acceptance.aws.conftest import ACCOUNT, REGION
from tidemark.doctor import credentials, examination
from tidemark.doctor.finding import State
from tidemark.targets.aws import AwsTarget
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def target(tmp_path: Path) -> AwsTarget:
    return AwsTarget(TargetOptions(state=tmp_path))


@pytest.mark.usefixtures("account")
def test_aws_says_which_account_and_who(target: AwsTarget) -> None:
    finding = credentials.ask(target)

    assert finding.state is State.OK
    assert finding.says.startswith(f"{ACCOUNT} in {REGION}, as arn:aws:sts::{ACCOUNT}:")


@pytest.mark.usefixtures("account")
def test_another_account_than_the_named_one_is_a_problem(
    target: AwsTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", "999999999999")

    finding = credentials.ask(target)

    assert finding.state is State.PROBLEM
    assert f"of account {ACCOUNT} where 999999999999 is expected" in finding.says


def test_credentials_that_are_not_there_are_a_problem(
    target: AwsTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", REGION)

    finding = credentials.ask(target)

    assert finding.state is State.PROBLEM
    assert "There are no AWS credentials" in finding.says


@pytest.mark.usefixtures("credentials")
def test_with_an_endpoint_variable_nobody_is_asked(
    target: AwsTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(*_: object, **__: object) -> NoReturn:
        pytest.fail("somebody was asked")

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:4566")

    assert credentials.ask(target).state is State.PROBLEM


@pytest.mark.usefixtures("account")
def test_credentials_that_aws_takes_need_not_be_in_files_and_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As those of a machine's role are not."""
    monkeypatch.setattr(credentials, "_ENVIRONMENT", {})

    found = {
        one.name: one for one in examination.examine("aws", os.environ, with_aws=True).findings
    }

    assert found["AWS account"].state is State.OK
    assert "AWS credentials" not in found
