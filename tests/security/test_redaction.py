"""What a workflow keeps of a failure has no account ids, and is all that there is to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.project.reading import ROOT
from tidemark.host.progress import Steps
from tidemark.pytest_plugin import _state
from tidemark.testing import options
from tidemark.testing.testbed import Testbed
from tools import redaction
from tools.redaction import Redaction

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::{}:role/Admin",
        "cdk-hnb659fds-assets-{}-eu-west-1",
        '"Account": "{}"',
        '{{"account": {}}}',
        "arn%3Aaws%3Aiam%3A%3A{}%3Aroot",
        "account%20{}",
        "https://sqs.eu-west-1.amazonaws.com/{}/Tidemark-Queue",
        "{}.dkr.ecr.eu-west-1.amazonaws.com",
        "account_{}_",
        "{}",
    ],
)
def test_an_account_id_is_taken_out_wherever_it_stands(text: str) -> None:
    assert Redaction().of(text.format(ACCOUNT).encode()) == text.format("[account 1]").encode()


@pytest.mark.parametrize("kind", ["AKIA", "ASIA", "AROA", "AIDA"])
def test_so_are_the_ids_of_keys_and_principals_which_tell_the_account(kind: str) -> None:
    redacted = Redaction().of(f"Credential={kind}IOSFODNN7EXAMPLE/20261127".encode())

    assert redacted == b"Credential=[principal]/20261127"


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::000000000000:role/an-emulators",
        "event#000000000042",
        "line%23100000000000",
        '"at_ms": 1795000000000',
        "12345678901",
        "Tidemark-ReadSideQueryHandler-A1B2C3D4E5F6",
    ],
)
def test_what_is_no_account_stays_legible(text: str) -> None:
    assert Redaction().of(text.encode()) == text.encode()


def test_two_accounts_can_be_told_apart_across_files(tmp_path: Path) -> None:
    failed = tmp_path / "state" / "failed"
    failed.mkdir(parents=True)
    (failed / "a.log").write_text(f"credentials of {ACCOUNT} where 210987654321 is expected")
    (failed / "b.log").write_text("210987654321")

    assert redaction.copy(tmp_path / "state", tmp_path / "copy") == []

    assert (tmp_path / "copy/failed/a.log").read_text() == (
        "credentials of [account 1] where [account 2] is expected"
    )
    assert (tmp_path / "copy/failed/b.log").read_text() == "[account 2]"


def test_all_that_is_left_to_look_at_is_copied_and_nothing_else(tmp_path: Path) -> None:
    state, copy = tmp_path / "state", tmp_path / "copy"
    elsewhere = tmp_path / "credentials"
    elsewhere.write_text("aws_secret_access_key")
    kept = (
        "failed/Tidemark/target.log",
        "pytest/1/failed/Tidemark/requests.jsonl",
        f"pytest/1/failed/{ACCOUNT}.log",
        "cdk/deploy.log",
    )
    for name in (*kept, "cdk/accounts.json", "aws.Tidemark.json", "embedded/process.json"):
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_text("x")
    (state / "failed/link.log").symlink_to(elsewhere)
    (state / "failed/shard.parquet").write_bytes(b"\0" + ACCOUNT.encode())
    (copy / "failed").mkdir(parents=True)
    (copy / "failed/earlier.log").write_text(ACCOUNT)

    assert redaction.copy(state, copy) == [state / "failed/shard.parquet"]

    copied = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert copied == {name.replace(ACCOUNT, "[account 1]") for name in kept}


def test_the_evidence_of_a_session_is_where_it_looks(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TIDEMARK_STATE_DIR", raising=False)
    evidence = Testbed(options.plan_of(pytestconfig), _state(pytestconfig), Steps()).evidence

    in_a_state_folder = tmp_path / evidence.relative_to(ROOT / ".tidemark")
    in_a_state_folder.mkdir(parents=True)
    (in_a_state_folder / "target.log").touch()
    assert redaction.copy(tmp_path, tmp_path / "copy") == []
    assert [*(tmp_path / "copy").rglob("target.log")] != []
