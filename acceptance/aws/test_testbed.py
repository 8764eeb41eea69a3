"""A test session on AWS: in the account that was named, a stack of its own, and gone after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from acceptance.aws.conftest import ACCOUNT, REGION
from acceptance.aws.small_stack import RecordingCdk, write_app
from tidemark.deploy import first_deposit
from tidemark.deploy.first_deposit import FirstDeposit
from tidemark.deploy.synthesis import OWN_COMMAND
from tidemark.errors import NotStartedError
from tidemark.host.progress import Steps
from tidemark.testing import testbed
from tidemark.testing.options import Plan
from tidemark.testing.testbed import Testbed

if TYPE_CHECKING:
    from pathlib import Path

    import boto3


@pytest.fixture
def bed(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Testbed:
    """A testbed on moto's account, whose API nobody asks."""
    write_app(checkout)
    monkeypatch.setattr(testbed, "Cdk", RecordingCdk)
    monkeypatch.setattr(first_deposit, "make", lambda *_: FirstDeposit("a", 1, 1, 0, 0, 0))
    return Testbed(Plan("aws", None, checkout, OWN_COMMAND), tmp_path / "session", Steps())


def stacks_of(account: boto3.Session) -> set[str]:
    found = account.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in found} - {"CDKToolkit"}


def test_a_session_shows_the_account_and_removes_its_own_stack_alone(
    account: boto3.Session,
    bed: Testbed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", ACCOUNT)
    template: dict[str, Any] = {"TemplateBody": '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}'}
    account.client("cloudformation").create_stack(StackName="Tidemark", **template)

    deployment = bed.deploy().deployment

    assert stacks_of(account) == {"Tidemark", deployment.stack_name}
    assert deployment.stack_name.startswith("Tidemark-")
    assert deployment.api_url.startswith("https://a1b2.execute-api.")
    shown = " ".join(capsys.readouterr().err.split())
    assert f"AWS account {ACCOUNT}, region {REGION}" in shown
    assert "Yes: the session was told to." in shown

    bed.remove()

    assert stacks_of(account) == {"Tidemark"}


def test_in_another_account_than_the_named_one_nothing_is_deployed(
    account: boto3.Session, bed: Testbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", "999999999999")

    with pytest.raises(NotStartedError, match="999999999999 is expected"):
        bed.deploy()

    assert stacks_of(account) == set()
