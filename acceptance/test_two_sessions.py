"""Two sessions on one stack at once: each judges what is its own, and nothing of the other's."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from acceptance.test_failed_session import session
from tidemark import targets
from tidemark.aws.connection import variables
from tidemark.host.deployment import known

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.program import Program

# Each test waits for the other three, so that the sessions and their workers overlap.
TOGETHER = """
from pathlib import Path
import pytest
from tidemark.workloads import bank
from tidemark.workloads.bank_items import account_key

HERE = Path({here!r})

@pytest.fixture
def account(tidemark_client, tidemark_history, eventually, request):
    account = tidemark_client.session.prefix + ".a"
    owner = tidemark_client.session.prefix + ".o"
    opened = bank.open_account(account_id=account, owner_id=owner)
    assert tidemark_client.run(opened).status == 202
    assert account.startswith(tidemark_history.run_id)
    read = bank.account(account, min_version=1, wait_ms=5000)
    assert tidemark_client.poll(read).status == 200
    (HERE / account).touch()
    eventually(lambda: len(list(HERE.iterdir())) == 3, what="the others")
    return account
"""
HEALTHY = """
@pytest.mark.parametrize("number", [1, 2])
def test_a_deposit(tidemark_client, account, number):
    assert tidemark_client.run(bank.deposit(account, 5)).status == 202
"""
ROBBED = """
def test_a_robbery(aws, deployment, account):
    aws.dynamodb.update_item(
        TableName=deployment.outputs["QueryTableName"],
        Key=account_key(account),
        UpdateExpression="SET balance = :b",
        ExpressionAttributeValues={":b": {"N": "77"}},
    )
"""


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    names = ("here", "healthy", "robbed")
    for name in names:
        (tmp_path / name).mkdir()
    return {name: tmp_path / name for name in names}


def test_each_judges_its_own_and_names_the_test_that_it_concerns(
    up: Program, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(up.state))  # where the key is
    [deployment] = known(up.state)
    for name, value in variables(targets.connection_to(deployment)).items():
        monkeypatch.setenv(name, value)
    given = ["--tidemark-endpoint", str(deployment.endpoint), "--tidemark-stack", "Tidemark"]
    together = TOGETHER.format(here=str(folders["here"]))
    with ThreadPoolExecutor() as pool:
        healthy, robbed = (
            pool.submit(session, folders[name], together + tests, *given, *more)
            for name, tests, more in (
                ("healthy", HEALTHY, ("-p", "xdist", "-n", "2")),
                ("robbed", ROBBED, ()),
            )
        )

    assert healthy.result().returncode == 0, healthy.result().stdout
    assert "Verdict: holds" in healthy.result().stdout
    [run] = (folders["healthy"] / "state" / "runs").iterdir()
    writers = {
        one.rpartition(".")[2] for one in json.loads((run / "run.json").read_text())["writers"]
    }
    assert writers == {"gw0", "gw1", "export"}

    assert robbed.result().returncode == 1, robbed.result().stdout
    assert "1 passed" in robbed.result().stdout
    assert "I6: " in robbed.result().stdout
    assert "was touched by t1-test-a-robbery" in robbed.result().stdout
