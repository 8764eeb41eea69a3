"""The workbench: waiting within a deadline, and what a function is made of."""

from __future__ import annotations

import io
import itertools
import zipfile
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.probe.asking import DEPLOYMENT, bench
from tidemark.host.waiting import NotYetError
from tidemark.probe.bench import Bench, Queue
from tidemark.probe.functions import Function
from tidemark.probe.invocations import code_zip
from tidemark.probe.observation import NotSeenInTimeError

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.probe.role import Role


def test_waiting_ends_with_the_row_and_says_what_was_seen_last() -> None:
    seen = iter(["one", *["two"] * 1000])

    def probe() -> bool | None:
        raise NotYetError(next(seen))

    with pytest.raises(NotSeenInTimeError, match=r"^two$"):
        bench(within_s=0.2).eventually(probe, what="three")


def test_waiting_without_a_word_says_what_for() -> None:
    with pytest.raises(NotSeenInTimeError, match=r"^no sign of the end$"):
        bench(within_s=0).eventually(lambda: None, what="the end")


def test_a_shorter_wait_leaves_time_for_the_rest() -> None:
    its_bench = bench(within_s=60)

    with pytest.raises(NotSeenInTimeError):
        its_bench.eventually(lambda: None, within_s=0, what="it")
    assert its_bench.left_s > 30


def test_a_row_that_was_given_up_has_no_time_left() -> None:
    its_bench = bench(within_s=60)
    assert its_bench.left_s > 30

    its_bench.leftovers.close()

    assert its_bench.left_s == 0


def test_settled_is_what_has_not_changed_for_a_while() -> None:
    looks = iter([1, 2, 3])

    assert bench().settle(lambda: next(looks, 3), for_s=0.05, what="the count") == 3


def test_after_what_cannot_be_the_end_settling_begins_anew() -> None:
    looks: list[str] = []

    def look() -> str:
        looks.append("look")
        if len(looks) == 2:
            raise NotYetError("one message")
        return "empty"

    ticking = itertools.count().__next__
    its_bench = Bench(
        cast("AwsClients", None), DEPLOYMENT, cast("Role", None), within_s=1000, clock=ticking
    )

    assert its_bench.settle(look, for_s=2, what="the queue") == "empty"
    assert len(looks) > 3


def test_what_comes_to_no_end_says_what_was_seen() -> None:
    def look() -> str:
        raise NotYetError("one message")

    with pytest.raises(NotSeenInTimeError, match=r"^one message$"):
        bench(within_s=0.1).settle(look, for_s=0, what="the queue")


def test_what_keeps_changing_is_not_seen() -> None:
    counts = iter(range(1000))

    with pytest.raises(NotSeenInTimeError, match="no sign of rest"):
        bench(within_s=0.2).settle(lambda: next(counts), for_s=60, what="rest")


class FakeSqs:
    def __init__(self) -> None:
        self.attributes: dict[str, dict[str, str]] = {}

    def create_queue(self, **arguments: Any) -> dict[str, str]:
        self.attributes[arguments["QueueName"]] = arguments["Attributes"]
        return {"QueueUrl": f"https://queues/{arguments['QueueName']}"}

    def get_queue_url(self, **arguments: Any) -> dict[str, str]:
        return {"QueueUrl": f"https://queues/{arguments['QueueName']}"}

    def get_queue_attributes(self, **arguments: Any) -> dict[str, Any]:
        name = arguments["QueueUrl"].rpartition("/")[2]
        return {"Attributes": {"QueueArn": f"arn:{name}"}}

    def delete_queue(self, **arguments: Any) -> None:
        del self.attributes[arguments["QueueUrl"].rpartition("/")[2]]


class FakeClients:
    def __init__(self) -> None:
        self.sqs = FakeSqs()
        self.logs = FakeLogs([])


def test_queues_have_names_of_their_own_and_are_removed() -> None:
    clients = FakeClients()
    its_bench = bench(clients=clients)

    made = [its_bench.queue(VisibilityTimeout="1"), its_bench.queue(is_fifo=True)]

    assert len(set(made)) == 2
    assert list(clients.sqs.attributes.values()) == [
        {"VisibilityTimeout": "1"},
        {"FifoQueue": "true"},
    ]
    assert [name.endswith(".fifo") for name in clients.sqs.attributes] == [False, True]
    assert its_bench.leftovers.remove() == []
    assert clients.sqs.attributes == {}


class FakeLogs:
    class exceptions:  # noqa: N801 -- so boto3 spells it
        class ResourceNotFoundException(Exception):  # noqa: N818 -- likewise
            pass

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def get_paginator(self, _: str) -> FakeLogs:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        if not self.lines:
            raise self.exceptions.ResourceNotFoundException
        return [{"events": [{"message": line}]} for line in self.lines]


def _with_log(*lines: str) -> Bench:
    clients = FakeClients()
    clients.logs = FakeLogs(list(lines))
    return bench(clients=clients)


def test_invocations_are_read_from_the_log_in_the_order_of_their_time() -> None:
    its_bench = _with_log(
        "START RequestId: b",
        '{"probe": {"at_ms": 20, "request_id": "b", "bodies": ["bad"]}}\n',
        'INFO {"probe": {"at_ms": 10, "request_id": "a", "bodies": []}} and more',
        '{"probe": {"at_ms": 3',
    )

    found = its_bench.invocations(Function("name", "arn"))

    assert [(one.at_ms, one.request_id, list(one.bodies)) for one in found] == [
        (10, "a", []),
        (20, "b", ["bad"]),
    ]


def test_a_function_that_has_logged_nothing_was_not_invoked() -> None:
    assert _with_log().invocations(Function("name", "arn")) == []


def test_the_function_is_a_zip_of_one_module_and_the_same_each_time() -> None:
    with zipfile.ZipFile(io.BytesIO(code_zip())) as archive:
        assert archive.namelist() == ["function_code.py"]
        assert b"def handle(" in archive.read("function_code.py")
    assert code_zip() == code_zip()


def test_a_queue_is_known_by_url_and_arn() -> None:
    made = bench(clients=FakeClients()).queue()

    assert made == Queue(made.url, f"arn:{made.url.rpartition('/')[2]}")
