from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.measures.ops import op
from tidemark.api.call import Kind
from tidemark.history.run_folder import RunFolder, is_in_use
from tidemark.host.deployment import Deployment

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="Tidemark",
    api_url="http://127.0.0.1:1/prod",
    template_digest="d1",
    outputs={},
)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "ops.jsonl").read_text().splitlines()]


def test_a_run_says_what_it_was_and_every_call_it_made(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "run-1"
    deposit = op(status=202, took_ms=3)
    deposit = replace(deposit, call=replace(deposit.call, key="k", body={"amount": 5}))
    with RunFolder(path) as run:
        run.describe(DEPLOYMENT, kind="load", seed="7")
        run.record(deposit)
        run.record(replace(op(kind=Kind.QUERY, operation="account"), state={"balance": 5}))
    about = json.loads((path / "run.json").read_text())
    assert about == {
        "run_id": "run-1",
        "kind": "load",
        "seed": "7",
        "target": "embedded",
        "stack_name": "Tidemark",
        "api_url": "http://127.0.0.1:1/prod",
        "template_digest": "d1",
    }
    first, second = lines(path)
    assert (first["operation"], first["key"], first["body"]) == ("deposit", "k", {"amount": 5})
    assert (first["kind"], first["outcome"], first["purpose"]) == ("command", "ok", "load")
    assert first["end_ns"] - first["start_ns"] == 3_000_000
    assert first["payload_hash"] == deposit.call.payload_hash
    assert (second["kind"], second["state"], second["key"]) == ("query", {"balance": 5}, None)


def test_processes_of_a_run_write_into_one_folder_and_the_first_says_what_it_is(
    tmp_path: Path,
) -> None:
    with RunFolder(tmp_path) as one, RunFolder(tmp_path) as other:
        one.describe(DEPLOYMENT, kind="load")
        other.describe(DEPLOYMENT, kind="something else")
        one.record(op())
        other.record(op())
    assert len(lines(tmp_path)) == 2
    assert json.loads((tmp_path / "run.json").read_text())["kind"] == "load"


def test_lines_of_many_threads_do_not_mix(tmp_path: Path) -> None:
    long = replace(op(), detail="d" * 20_000)
    with RunFolder(tmp_path) as run, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: run.record(long), range(200)))
    assert {line["detail"] for line in lines(tmp_path)} == {"d" * 20_000}
    assert len(lines(tmp_path)) == 200


def test_a_run_is_in_use_while_anybody_has_it_open(tmp_path: Path) -> None:
    assert not is_in_use(tmp_path)
    with RunFolder(tmp_path):
        with RunFolder(tmp_path):
            assert is_in_use(tmp_path)
        assert is_in_use(tmp_path)
    assert not is_in_use(tmp_path)
