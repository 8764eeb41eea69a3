"""`tidemark trace` finds the way of a command, an event or an account through the stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from integration.accounts import Names, accepted, outside
from integration.facts import await_projected
from tidemark.cli import known
from tidemark.cli import trace as verb
from tidemark.errors import EndedError, ExitCode
from tidemark.faults.dead_letters import DEAD_WITHIN_S
from tidemark.faults.messages import message, unknown_id
from tidemark.faults.poison import poisoned
from tidemark.faults.sweeping import make_due, sweep
from tidemark.host.waiting import NotYetError, eventually
from tidemark.trace import document
from tidemark.trace.tracing import Tracer
from tidemark.workloads import bank
from tidemark.workloads.bank_items import command_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration.site import Site
    from tidemark.faults.messages import Queue
    from tidemark.targets.base import Target

# Some targets show a line only a while after it was written.
_LOGGED_WITHIN_S = 40.0

Traced = dict[str, Any]


def trace(site: Site, wanted_id: str) -> Traced:
    return document.of(wanted_id, Tracer.of(site.deployment, site.aws).trace(wanted_id))


def await_trace(
    site: Site,
    wanted_id: str,
    is_there: Callable[[Traced], bool],
    *,
    within_s: float = _LOGGED_WITHIN_S,
) -> Traced:
    def probe() -> Traced:
        traced = trace(site, wanted_id)
        if not is_there(traced):
            raise NotYetError(json.dumps(traced))
        return traced

    return eventually(probe, within_s=within_s, what=f"the trace of {wanted_id}")


def stages(traced: Traced) -> list[str]:
    return [moment["stage"] for moment in traced.get("timeline", [])]


def texts(traced: Traced, stage: str) -> list[str]:
    return [one["text"] for one in traced.get("timeline", []) if one["stage"] == stage]


@pytest.fixture(scope="module")
def forged(site: Site, queue: Queue) -> Iterator[tuple[str, str]]:  # noqa: ARG001 -- it has to have one
    """An event id that no log has, on its way to the dead-letter queue; and its message's id."""
    client = outside(site.client, "forged")
    names = Names.of(client)
    accepted(client.run(bank.open_account(account_id=names.account(), owner_id=names.owner())))
    event = site.tables.event(names.account(), 1)
    assert event is not None
    event_id = unknown_id()
    body = message(names.account(), event, event_id=event_id)
    with poisoned(
        site.journal, site.aws, site.deployment, {"it": body}, site.history.writer
    ) as poison:
        yield event_id, poison.message_ids["it"]


@pytest.mark.usefixtures("forged")
def test_an_accepted_command_is_one_timeline_from_the_call_to_the_query_side(
    site: Site, names: Names
) -> None:
    key = names.key("opening")
    fact = accepted(
        site.client.run(
            bank.open_account(account_id=names.account(), owner_id=names.owner()), key=key
        )
    )
    await_projected(site.tables, [fact])

    traced = await_trace(site, key, lambda one: {"answer", "delivery"} <= set(stages(one)))

    assert (traced["kind"], traced["account_id"]) == ("command", names.account())
    assert sorted(stages(traced)) == sorted(
        ["API call", "transaction", "publish", "answer", "projection", "delivery"]
    )
    assert texts(traced, "answer") == ["202 accepted, version 1"]
    [event] = traced["events"]
    item = site.tables.event(names.account(), 1)
    assert item is not None
    assert (event["event_id"], event["type"]) == (fact.event_id, "AccountOpened")
    assert event["lag_ms"] == item.lag_ms
    assert (event["outbox"], event["has_statement_line"]) == (None, True)
    assert traced["write_side"]["version"] == traced["query_side"]["version"] == 1
    times = [moment["at_ms"] for moment in traced["timeline"]]
    assert times == sorted(times)


def test_a_replayed_command_has_two_calls_and_one_transaction(site: Site, names: Names) -> None:
    key = names.key("opening")
    for _ in range(2):
        accepted(
            site.client.run(
                bank.open_account(account_id=names.account(), owner_id=names.owner()), key=key
            )
        )

    traced = await_trace(site, key, lambda one: len(texts(one, "answer")) == 2)

    assert texts(traced, "answer") == ["202 accepted, version 1", "202 replayed, version 1"]
    assert stages(traced).count("transaction") == 1
    assert stages(traced).count("API call") == 2


def test_a_refused_command_is_found_by_its_key_although_nothing_is_stored(
    site: Site, names: Names
) -> None:
    key = names.key("deposit")
    assert site.client.run(bank.deposit(names.account(), 1), key=key).status == 404

    traced = await_trace(site, key, lambda one: one["kind"] is not None)

    assert traced["kind"] == "command"
    assert texts(traced, "answer") == ["404 no-such-account"]
    assert traced["events"] == []


def test_an_event_id_leads_to_its_command_and_an_account_to_all_its_events(
    site: Site, names: Names
) -> None:
    account_id = names.account()
    accepted(site.client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    deposited = accepted(site.client.run(bank.deposit(account_id, 5), key=names.key("deposit")))
    await_projected(site.tables, [deposited])

    of_event = await_trace(site, deposited.event_id, lambda one: "answer" in stages(one))
    of_account = await_trace(site, account_id, lambda one: stages(one).count("answer") == 2)

    assert (of_event["kind"], of_account["kind"]) == ("event", "account")
    assert [one["version"] for one in of_event["events"]] == [2]
    assert of_event["events"][0]["command_id"] == command_id(site.principal, names.key("deposit"))
    assert [one["version"] for one in of_account["events"]] == [1, 2]
    assert texts(of_event, "transaction")[0] in texts(of_account, "transaction")


def test_a_lost_publish_shows_the_outbox_and_then_the_sweepers_copy(
    direct: Site, direct_names: Names
) -> None:
    names = direct_names
    account_id, key = names.account(), names.key("opening")
    with direct.lost_publishes():
        lost = accepted(
            direct.client.run(
                bank.open_account(account_id=account_id, owner_id=names.owner()), key=key
            )
        )
    waiting = await_trace(direct, key, lambda one: "publish" in stages(one))
    assert "left to the sweeper" in texts(waiting, "publish")[0]
    assert waiting["events"][0]["outbox"]["attempts"] == 0
    assert waiting["query_side"] is None

    make_due(direct.aws, direct.deployment, account_id, 1)
    sweep(direct.aws, direct.deployment)
    await_projected(direct.tables, [lost])

    swept = await_trace(direct, key, lambda one: {"copy", "delivery"} <= set(stages(one)))
    assert texts(swept, "copy") == ["copy 1 published by the sweeper"]
    assert swept["events"][0]["outbox"] is None


def test_an_unknown_id_ends_with_3_and_says_what_was_searched(
    site: Site,
    target: Target,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(known, "choose", lambda *_: (site.deployment, target))
    wanted_id = unknown_id()

    with pytest.raises(EndedError) as ended:
        verb.trace(wanted_id)
    for_people = capsys.readouterr().out
    with pytest.raises(EndedError):
        verb.trace(wanted_id, as_json=True)
    for_programs = json.loads(capsys.readouterr().out)

    assert ended.value.exit_code is ExitCode.UNKNOWN
    assert f"Nothing is known of '{wanted_id}'. Searched: the command records" in for_people
    assert for_programs["kind"] is None
    assert any("command table, item by item" in place for place in for_programs["searched"])


# The last one here, for poison takes its time to die.
@pytest.mark.timeout(DEAD_WITHIN_S + 60)
def test_poison_is_found_in_the_dead_letter_queue_and_stays_there(
    site: Site, forged: tuple[str, str]
) -> None:
    event_id, message_id = forged

    traced = await_trace(
        site, event_id, lambda one: bool(one.get("dead_letters")), within_s=DEAD_WITHIN_S
    )

    assert (traced["kind"], traced["events"]) == ("event", [])
    [letter] = traced["dead_letters"]
    assert (letter["message_id"], letter["is_stale"]) == (message_id, False)
    assert letter["event"]["event_id"] == event_id
    assert "the log does not have this event" in letter["reason"]
    assert all("failed" in text for text in texts(traced, "delivery"))
    again = await_trace(site, event_id, lambda one: bool(one["dead_letters"]))
    assert [one["message_id"] for one in again["dead_letters"]] == [message_id]
