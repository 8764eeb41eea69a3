from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from tidemark.measures.lag import Lag, LagMeter
from tidemark.percentiles import Spread
from tidemark.workloads.bank_items import Event, EventKey, Mark

if TYPE_CHECKING:
    from tidemark.workloads.bank_tables import BankTables


def logged(event_id: str, recorded_at_ms: int, projected_at_ms: int | None) -> Event:
    return Event(
        key=EventKey(event_id[0], int(event_id[1:]), event_id),
        type="FundsDeposited",
        owner_id="o",
        command_id="k",
        data={},
        recorded_at_ms=recorded_at_ms,
        projected_at_ms=projected_at_ms,
        mark=Mark(0, 0) if projected_at_ms is None else None,
    )


@dataclass
class Log:
    """The command table; each read of an account shows its next state."""

    states: dict[str, list[list[Event]]]
    reads: list[str] = field(default_factory=list)
    interrupts_at: str | None = None

    def log(self, account_id: str) -> list[Event]:
        self.reads.append(account_id)
        if account_id == self.interrupts_at:
            raise KeyboardInterrupt
        states = self.states[account_id]
        return states.pop(0) if len(states) > 1 else states[0]


def measured(log: Log, *acknowledged: str, within_s: float = 5.0) -> Lag:
    told = {
        account_id: {one for one in acknowledged if one[0] == account_id}
        for account_id in log.states
    }
    return LagMeter(cast("BankTables", log)).wait(told, within_s=within_s)


def test_the_lag_of_an_event_is_from_recorded_to_projected() -> None:
    log = Log(
        {"a": [[logged("a1", 100, 130), logged("a2", 200, 250)]], "b": [[logged("b1", 5, 15)]]}
    )
    lag = measured(log, "a1", "a2", "b1")
    assert (lag.events, lag.projected, lag.late, lag.missing) == (3, 3, [], [])
    assert lag.spread == Spread(30, 50, 50, 50)
    assert lag.is_complete


def test_an_event_is_waited_for_and_what_is_done_is_not_read_again() -> None:
    pending = [logged("b1", 0, None)]
    log = Log({"a": [[logged("a1", 0, 10)]], "b": [pending, pending, [logged("b1", 0, 90)]]})
    lag = measured(log, "a1", "b1")
    assert (lag.projected, lag.late) == (2, [])
    assert log.reads.count("a") == 1
    assert log.reads.count("b") == 3


def test_an_event_that_is_not_projected_by_the_deadline_is_named() -> None:
    log = Log({"a": [[logged("a1", 0, 10), logged("a2", 0, None)]]})
    lag = measured(log, "a1", "a2", within_s=0)
    assert (lag.events, lag.projected, lag.late) == (2, 1, ["a2"])
    assert lag.spread == Spread(10, 10, 10, 10)
    assert lag.is_complete


def test_an_event_that_nobody_acknowledged_counts_as_well() -> None:
    lag = measured(Log({"a": [[logged("a1", 0, 10), logged("a2", 0, 30)]]}), "a1")
    assert (lag.events, lag.projected, lag.missing) == (2, 2, [])


def test_an_acknowledged_event_that_the_log_does_not_have_is_named() -> None:
    assert measured(Log({"a": [[logged("a1", 0, 10)]]}), "a1", "a2").missing == ["a2"]


def test_a_wait_that_is_cut_short_says_what_it_saw_and_misses_nothing_unread() -> None:
    log = Log({"a": [[logged("a1", 0, None)]], "b": [[]]}, interrupts_at="b")
    lag = measured(log, "a1", "a2", "b1")
    assert not lag.is_complete
    assert lag.late == ["a1"]
    assert lag.missing == ["a2"]


def test_no_accounts_have_no_lag() -> None:
    lag = measured(Log({}))
    assert (lag.events, lag.spread) == (0, None)
