"""How events look outside: what is written is read again, and by the same rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters import event_codec
from functions.adapters.event_codec import (
    Unreadable,
    field_types,
    from_log,
    from_message,
    to_log,
    to_message,
)
from functions.adapters.items import from_item, to_item
from functions.domain.account import (
    AccountClosed,
    AccountOpened,
    Event,
    FundsDeposited,
    FundsWithdrawn,
)

LARGEST = 2**53 - 1

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
COMMON = {
    "event_id": IDS,
    "command_id": IDS,
    "account_id": IDS,
    "owner_id": IDS,
    "version": st.integers(1, 10**12 - 1),
    "recorded_at": st.integers(0, LARGEST),
}
AMOUNTS = st.integers(0, LARGEST)
EVENTS = st.one_of(
    st.builds(AccountOpened, **COMMON),
    st.builds(FundsDeposited, **COMMON, amount=AMOUNTS, balance=AMOUNTS),
    st.builds(FundsWithdrawn, **COMMON, amount=AMOUNTS, balance=AMOUNTS),
    st.builds(AccountClosed, **COMMON),
)
OPENED = AccountOpened(
    event_id="e", command_id="k", account_id="a", owner_id="o", version=1, recorded_at=1
)


def stored(event: Event) -> Event | Unreadable:
    """The event as it comes back from the log."""
    return from_log(from_item(to_item(to_log(event))))


@given(EVENTS)
def test_an_event_comes_back_from_the_log_and_from_a_message_as_it_was(event: Event) -> None:
    assert stored(event) == event
    assert from_message(to_message(event)) == event


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNamed(Event):
    name: str
    is_public: bool
    rank: int


@pytest.fixture
def _with_a_new_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(event_codec._TYPES, "AccountNamed", AccountNamed)
    types = {"name": str, "is_public": bool, "rank": int}
    monkeypatch.setitem(event_codec._DATA, "AccountNamed", types)


@pytest.mark.usefixtures("_with_a_new_type")
@pytest.mark.parametrize("name", ["savings", "", "Ersparnis für später"])
def test_a_text_a_flag_and_a_signed_number_are_data_like_any_other(name: str) -> None:
    named = AccountNamed(
        event_id="e",
        command_id="k",
        account_id="a",
        owner_id="o",
        version=2,
        recorded_at=1,
        name=name,
        is_public=True,
        rank=-3,
    )
    assert stored(named) == named
    assert from_message(to_message(named)) == named
    assert field_types(AccountNamed).items() >= event_codec._DATA["AccountNamed"].items()


def test_a_field_that_would_not_come_back_as_it_was_is_refused_when_the_codec_is_made() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class RateChanged(Event):
        rate: float

    with pytest.raises(TypeError, match=r"RateChanged\.rate is .*float.*: fields of events are"):
        field_types(RateChanged)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner_id", ""),
        ("owner_id", "\ud800"),
        ("owner_id", "o" * 1_025),
        ("owner_id", 7),
        ("version", 0),
        ("version", 10**12),
        ("version", True),
        ("recorded_at", 2**53),
    ],
)
def test_what_no_reader_would_take_is_refused_at_the_writer(field: str, value: object) -> None:
    with pytest.raises(ValueError, match="could not be read again"):
        to_log(replace(OPENED, **{field: value}))  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"type": "AccountRenamed"}, "unknown event type 'AccountRenamed'"),
        ({"type": None}, "unknown event type None"),
        ({"type": ["AccountOpened"]}, "unknown event type"),
        ({"data": {"label": "x"}}, "the data of AccountOpened are []"),
        ({"data": None}, "the data of AccountOpened are []"),
        ({"owner_id": None}, "owner_id is not a usable str"),
        ({"recorded_at": "1"}, "recorded_at is not a usable int"),
        ({"sk": "snapshot"}, "version is not a usable int"),
    ],
)
def test_an_item_of_another_version_of_the_functions_is_unreadable_and_says_why(
    values: dict[str, object], reason: str
) -> None:
    found = from_log(to_log(OPENED) | values)
    assert isinstance(found, Unreadable)
    assert reason in found.reason
