"""The timeline: what each item and line adds to it, and in which order."""

from __future__ import annotations

from tests.trace.known import BEGUN_MS, accepted, event, invocation, record
from tidemark.trace.lines import Said
from tidemark.trace.timeline import Stage, timeline


def test_one_accepted_command_passes_every_stage_in_order() -> None:
    one = event()
    lines = [record(one, sent_at=one.recorded_at_ms + 9), accepted(one)]

    moments = timeline([one], lines)

    assert [(moment.stage, moment.at_ms - one.recorded_at_ms) for moment in moments] == [
        (Stage.API_CALL, -2),
        (Stage.TRANSACTION, 0),
        (Stage.PUBLISH, 9),
        (Stage.ANSWER, 20),
        (Stage.PROJECTION, 30),
        (Stage.DELIVERY, 40),
    ]
    assert not any(moment.is_trouble for moment in moments)
    assert moments[4].said["lag_ms"] == 30
    assert moments[4].text == "version 1 is on the query side, 30 ms after it was recorded"


def test_what_happens_in_one_millisecond_is_shown_in_the_order_of_the_stages() -> None:
    one = event(projected_after_ms=0)
    line = record(one, after_ms=0, sent_at=one.recorded_at_ms)

    assert [moment.stage for moment in timeline([one], [line])] == [
        Stage.TRANSACTION,
        Stage.PUBLISH,
        Stage.PROJECTION,
        Stage.DELIVERY,
    ]


def test_a_message_is_in_the_queue_once_however_often_it_is_delivered() -> None:
    one = event()
    lines = [
        record(one, "failed", 10, sent_at=BEGUN_MS, reason="no time left", left_to="queue"),
        record(one, "applied", 90, sent_at=BEGUN_MS, receive_count=2),
    ]

    moments = timeline([], lines)

    assert [moment.stage for moment in moments] == [Stage.PUBLISH, Stage.DELIVERY, Stage.DELIVERY]
    assert moments[1].text == (
        "message message-1, receive 1: failed: no time left; left to the queue"
    )
    assert [moment.is_trouble for moment in moments] == [False, True, False]


def test_without_a_queue_the_publish_is_known_from_the_command_handler() -> None:
    moments = timeline([], [accepted(event()), record(event(), receive_count=None)])

    [publish] = [moment for moment in moments if moment.stage is Stage.PUBLISH]
    assert (publish.source, publish.text) == ("command-handler", "published to the topic")
    assert moments[-1].text == "message message-1: applied"


def test_a_publish_that_failed_stays_visible_after_the_sweepers_copy_arrived() -> None:
    one = event()
    copy = {"message": "republished", "event_id": "event-1", "attempts": 1}
    lines = [
        accepted(one, published=False),
        Said(one.recorded_at_ms + 60_000, "outbox-sweeper", copy),
        record(one, after_ms=60_100, sent_at=one.recorded_at_ms + 60_050),
    ]

    told = [(moment.stage, moment.is_trouble) for moment in timeline([], lines)]

    assert told == [
        (Stage.API_CALL, False),
        (Stage.PUBLISH, True),
        (Stage.ANSWER, False),
        (Stage.COPY, False),
        (Stage.PUBLISH, False),
        (Stage.DELIVERY, False),
    ]


def test_a_copy_that_could_not_be_published_is_trouble() -> None:
    members = {"message": "publish failed", "event_id": "event-1", "exception_name": "NotFound"}

    [moment] = timeline([], [Said(BEGUN_MS, "outbox-sweeper", members)])

    assert (moment.stage, moment.is_trouble) == (Stage.COPY, True)
    assert "NotFound" in moment.text


def test_a_replay_is_answered_and_published_by_nobody() -> None:
    replay = invocation("replayed", command_id="key-1", version=1, published=False)

    [moment] = timeline([], [replay])

    assert (moment.stage, moment.text) == (Stage.ANSWER, "202 replayed, version 1")


def test_a_refusal_says_its_status_and_problem() -> None:
    lines = [
        invocation("insufficient-funds", status=422),
        invocation("unavailable", 1, error="ReadTimeoutError"),
    ]

    moments = timeline([], lines)

    assert [moment.text for moment in moments] == ["422 insufficient-funds", "503 unavailable"]
    assert all(moment.is_trouble for moment in moments)


def test_a_delivery_says_what_it_healed_and_how_often_it_tried() -> None:
    [moment] = timeline([], [record(event(4), healed=[2, 3], attempts=5)])

    assert moment.text == (
        "message message-4, receive 1: applied, after healing version 2, 3 in 5 attempts"
    )


def test_the_processors_own_invocation_line_is_no_moment() -> None:
    line = Said(BEGUN_MS, "update-processor", {"message": "invocation", "outcome": "processed"})

    assert timeline([], [line]) == []
