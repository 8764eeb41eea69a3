"""Probing an account makes things in it for a while: shown first, and only with consent."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from acceptance.aws.conftest import ACCOUNT, REGION
from acceptance.aws.small_stack import Person, bring_up, write_app
from tidemark import targets
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from acceptance.aws.conftest import Run

ROW = "fifo-deduplication"
READS_ONLY = "deployed-tables"


@pytest.fixture(autouse=True)
def _deployed(account: boto3.Session, tmp_path: Path, checkout: Path) -> None:
    """A stack on AWS, recorded."""
    del account
    write_app(checkout)
    target = targets.create("aws", TargetOptions(state=tmp_path / "state"))
    bring_up(target, checkout, Person()).deploy()


def _queues(account: boto3.Session) -> list[str]:
    return list(account.client("sqs").list_queues().get("QueueUrls", []))


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_without_a_terminal_it_is_refused_unless_yes_is_said(
    account: boto3.Session, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _queues(account)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    refused = run("probe", ROW, "--target", "aws")
    agreed = run("probe", ROW, "--target", "aws", "--yes")

    assert refused.exit_code == 64
    assert "The aws target asks before it changes anything" in refused.sentence
    assert agreed.exit_code == 0
    assert f"AWS account {ACCOUNT}, {REGION}, as arn:aws:sts::" in agreed.stderr
    assert "  queues\n" in agreed.stderr
    assert f"Probe account {ACCOUNT}, {REGION}, with 1 row? Yes, by --yes." in agreed.stderr
    assert "1 row on aws" in agreed.stdout
    assert _queues(account) == before


@pytest.mark.parametrize(("typed", "exit_code"), [("n\n", 64), ("\n", 64), ("", 130)])
def test_who_does_not_say_yes_has_nothing_made(
    run: Run, monkeypatch: pytest.MonkeyPatch, typed: str, exit_code: int
) -> None:
    made: list[str] = []
    monkeypatch.setattr("tidemark.cli.probe.ask", lambda *_, **__: made.append("something"))
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    ended = run("probe", "--target", "aws")

    assert ended.exit_code == exit_code
    assert f"Probe account {ACCOUNT}, {REGION}, with " in ended.stderr
    for kind in ("queues", "topics", "functions with their log groups", "tables", "REST APIs"):
        assert f"  {kind}" in ended.stderr
    assert made == []


def test_rows_that_only_read_need_no_consent(run: Run) -> None:
    ended = run("probe", READS_ONLY, "--target", "aws")

    assert ended.exit_code == 0
    assert "Probe account" not in ended.stderr
    assert "1 row on aws" in ended.stdout
