"""What a failed session leaves, and that nothing else stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tidemark.api.exchange import Answer
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.deploy import evidence
from tidemark.host.deployment import Deployment
from tidemark.host.progress import Steps
from tidemark.testing.apps import DeployedApp
from tidemark.testing.options import Plan
from tidemark.testing.testbed import Testbed
from tidemark.workloads import bank

if TYPE_CHECKING:
    from pathlib import Path

# Nothing listens there.
ENDPOINT = "http://127.0.0.1:1"

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint=ENDPOINT,
    region="us-east-1",
    stack_name="Tidemark",
    api_url=f"{ENDPOINT}/api",
    template_digest="0",
    outputs={},
)


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Testbed:
    """A testbed with one deployed stack that does not answer."""
    bed = Testbed(Plan("embedded", None, tmp_path), tmp_path / "state", Steps())
    connection = Connection("us-east-1", ENDPOINT, EMULATOR_CREDENTIALS)
    monkeypatch.setattr(bed.target, "find", lambda: connection)
    monkeypatch.setattr(bed, "_begin", lambda _: DeployedApp("Tidemark", (DEPLOYMENT,)))
    bed.deploy()
    monkeypatch.setattr(evidence, "keep", lambda folder, *_, **__: folder.mkdir(parents=True))
    return bed


def test_a_failed_session_leaves_what_its_clients_sent(bed: Testbed) -> None:
    with bed.client_of(DEPLOYMENT) as client:
        client.run(bank.deposit("alice", 5), key="the key")

    bed.keep_evidence()
    bed.remove()

    kept = bed.evidence / "Tidemark" / "requests.jsonl"
    [line] = [json.loads(one) for one in kept.read_text(encoding="utf-8").splitlines()]
    assert (line["url"], line["body"]) == (
        f"{ENDPOINT}/api/accounts/alice/deposits",
        '{"amount":5}',
    )
    assert line["headers"]["Idempotency-Key"] == "the key"
    assert line["error"].startswith("NotSentError")
    assert "Signature" not in str(line)
    assert list(bed.state.iterdir()) == [bed.evidence]


def test_what_another_transport_sends_is_left_too(bed: Testbed) -> None:
    with bed.client_of(DEPLOYMENT, lambda _: Answer(418)) as client:
        client.run(bank.account("alice"))

    bed.keep_evidence()

    kept = (bed.evidence / "Tidemark" / "requests.jsonl").read_text(encoding="utf-8")
    assert json.loads(kept)["answer"]["status"] == 418


def test_a_failed_session_that_sent_nothing_leaves_the_rest(bed: Testbed) -> None:
    bed.keep_evidence()

    assert list((bed.evidence / "Tidemark").iterdir()) == []


def test_a_session_that_went_well_leaves_nothing(bed: Testbed) -> None:
    with bed.client_of(DEPLOYMENT) as client:
        client.run(bank.account("alice"))
    assert bed.state.is_dir()

    bed.remove()

    assert not bed.state.exists()
