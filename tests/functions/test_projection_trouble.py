"""What the Update Processor does when others are in the way, or the log, or the time."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.adapters.event_codec import to_message
from functions.adapters.items import from_item
from functions.adapters.runtime import Runtime
from functions.domain.account import Deposit
from functions.update_processor.handler import UpdateProcessor, build
from tests.functions.calling import (
    FailingClient,
    LambdaContext,
    StoppedClock,
    WatchedClient,
    aws,
    command_table_items,
    parts,
    query_table_items,
)
from tests.functions.projecting import (
    assert_projected,
    cancelled,
    deliver,
    queue_record,
    recorded,
    rewritten,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CONFLICT = cancelled("None", "None", "TransactionConflict", "None")


def watching(clock: StoppedClock, watch: Callable[[str, int], None]) -> UpdateProcessor:
    """A processor that tells account and version of each transaction that it is about to send."""

    def of_transaction(parameters: dict[str, Any]) -> None:
        row = from_item(parameters["TransactItems"][0]["Put"]["Item"])
        watch(row["account_id"], row["version"])

    client = WatchedClient(aws().dynamodb, "transact_write_items", of_transaction)
    return build(parts(clock, {"dynamodb": client}))


def test_one_contended_account_does_not_hold_up_the_others(unique: str) -> None:
    (busy,), (idle,) = recorded(f"{unique}b"), recorded(f"{unique}i")
    tries = []

    def contended(account_id: str, version: int) -> None:
        if account_id == busy.account_id:
            tries.append(version)
            raise CONFLICT

    assert deliver(busy, idle, processor=watching(StoppedClock(), contended)) == [0]
    assert len(tries) > 3
    assert_projected([idle])


def test_accounts_are_served_as_they_come_whatever_their_versions(unique: str) -> None:
    old = recorded(f"{unique}o", *[Deposit("a", n) for n in range(1, 5)])
    (young,) = recorded(f"{unique}y")
    deliver(*old[:-1])
    served = []
    processor = watching(StoppedClock(), lambda account_id, _: served.append(account_id))
    assert deliver(old[-1], young, processor=processor) == []
    assert served == [old[-1].account_id, young.account_id]


def test_a_long_gap_does_not_hold_up_the_others(unique: str) -> None:
    behind = recorded(f"{unique}b", *[Deposit("a", n) for n in range(1, 30)])
    (young,) = recorded(f"{unique}y")
    clock = StoppedClock()

    def slow(_: str, __: int) -> None:
        clock.at_ms += 500

    assert deliver(behind[-1], young, processor=watching(clock, slow)) == [0]
    assert_projected([young])
    # What was healed so far stays, and the next delivery goes on from there.
    assert 1 < len(query_table_items(f"account#{behind[-1].account_id}")) < len(behind)
    assert deliver(behind[-1]) == []
    assert_projected(behind)


def test_what_is_behind_a_contended_record_of_its_account_waits_with_it(unique: str) -> None:
    events = recorded(unique, Deposit("a", 1))
    client = FailingClient(aws().dynamodb, "transact_write_items", CONFLICT, times=3)
    clock = StoppedClock()
    assert deliver(*events, processor=build(parts(clock, {"dynamodb": client}))) == []
    assert len(clock.pauses) == 3
    assert_projected(events)


@pytest.mark.parametrize("receive_count", [1, 5])
@pytest.mark.parametrize(
    "strange", [{"type": "AccountRenamed"}, {"data": {"amount": 2, "balance": 3, "fee": 1}}]
)
def test_an_event_behind_one_that_cannot_be_read_is_left_to_the_sweeper(
    unique: str,
    printed: Callable[[], list[dict[str, Any]]],
    strange: dict[str, Any],
    receive_count: int,
) -> None:
    events = recorded(unique, *[Deposit("a", n) for n in range(1, 5)])
    known = rewritten(events[2], **strange)
    printed()
    assert deliver(events[4], receive_count=receive_count) == []
    [record] = [line for line in printed() if line.get("message") == "record"]
    assert (record["outcome"], record["left_to"]) == ("failed", "sweeper")
    assert "cannot be read" in record["reason"]
    # What comes before it is applied, and all the rest is still in the outbox.
    assert_projected(events[:2])
    assert all("outbox" in item for item in command_table_items(events[0].account_id)[2:5])
    rewritten(events[2], **known)
    assert deliver(events[4]) == []
    assert_projected(events)


def test_an_event_behind_one_that_is_read_otherwise_than_it_stands_is_left_to_the_sweeper(
    unique: str,
) -> None:
    events = recorded(unique, Deposit("a", 1), Deposit("a", 2))
    rewritten(events[1], data={"amount": Decimal("1.5"), "balance": 1})
    assert deliver(events[2]) == []
    assert_projected(events[:1])


def test_the_lag_of_every_event_is_measured_the_healed_ones_too(
    unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    clock = StoppedClock()
    events = recorded(unique, Deposit("a", 1), Deposit("a", 2), clock=clock)
    clock.at_ms += 10_000

    def slow(_: str, __: int) -> None:
        clock.at_ms += 70

    printed()
    assert deliver(events[2], processor=watching(clock, slow)) == []
    lines = printed()
    [metrics] = [line for line in lines if "ProjectionLag" in line]
    # The first transaction finds the gap. The time of each other one is a part of the lag.
    assert metrics["ProjectionLag"] == [10_140, 10_210, 10_280]
    [record] = [line for line in lines if line.get("message") == "record"]
    assert record["lag_ms"] == 10_280


def test_an_event_is_projected_at_the_time_of_the_attempt_that_did_it(unique: str) -> None:
    clock = StoppedClock()
    (event,) = recorded(unique, clock=clock)
    client = FailingClient(aws().dynamodb, "transact_write_items", CONFLICT, times=5)
    assert deliver(event, processor=build(parts(clock, {"dynamodb": client}))) == []
    assert sum(clock.pauses) > 100
    [item] = [one for one in command_table_items(event.account_id) if "event_id" in one]
    [row] = [one for one in query_table_items(f"account#{event.account_id}") if "version" in one]
    assert item["projected_at"] == row["projected_at"] == event.recorded_at + sum(clock.pauses)


def test_the_sdk_tries_no_transaction_again_by_itself() -> None:
    # Its try would commit later than the time of projection says.
    config: Any = Runtime().dynamodb_once.meta.config
    assert config.retries["total_max_attempts"] == 1
    asked = []

    def connect(service: str, *, tries: int | None = None) -> Any:
        asked.append((service, tries))
        return aws().dynamodb

    build(Runtime(connect=connect))
    assert ("dynamodb", 1) in asked
    assert ("dynamodb", None) not in asked


def test_a_gap_is_read_in_pieces(unique: str) -> None:
    events = recorded(unique, *[Deposit("a", n) for n in range(1, 4)])
    limits = []
    client = WatchedClient(
        aws().dynamodb, "query", lambda parameters: limits.append(parameters["Limit"])
    )
    assert deliver(events[-1], processor=build(parts(None, {"dynamodb": client}))) == []
    assert limits == [100]
    assert_projected(events)


def test_an_invocation_that_never_ends_has_said_what_it_was_given(
    unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    (event,) = recorded(unique)

    class KilledError(BaseException):
        pass

    client = FailingClient(aws().dynamodb, "transact_write_items", KilledError())
    records = [queue_record(to_message(event)), queue_record("poison")]
    context = LambdaContext()
    printed()
    with pytest.raises(KilledError):
        build(parts(None, {"dynamodb": client})).handle({"Records": records}, context)
    started = printed()[0]
    assert started["message"] == "started"
    assert started["function_request_id"] == context.aws_request_id
    assert started["message_ids"] == [record["messageId"] for record in records]


class Committing(FailingClient):
    """A client whose first transactions are committed although their answers are lost."""

    def __getattr__(self, name: str) -> Any:
        call, failing = getattr(self._client, name), super().__getattr__(name)

        def committed(**parameters: Any) -> Any:
            with contextlib.suppress(ClientError):
                if self.failed < (self._times or 0):
                    call(**parameters)
            return failing(**parameters)

        return committed if name == self._operation else call


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_record_says_whether_a_transaction_had_no_answer(
    unique: str, printed: Callable[[], list[dict[str, Any]]], times: int
) -> None:
    (event,) = recorded(unique)
    lost = ReadTimeoutError(endpoint_url="http://tables")
    client = Committing(aws().dynamodb, "transact_write_items", lost, times=times)
    printed()
    failed = deliver(event, processor=build(parts(StoppedClock(), {"dynamodb": client})))
    [record] = [line for line in printed() if line.get("message") == "record"]
    outcome = {0: "applied", 1: "duplicate", 3: "failed"}[times]
    assert (record["outcome"], record["ambiguous"]) == (outcome, times > 0)
    assert failed == ([0] if outcome == "failed" else [])
