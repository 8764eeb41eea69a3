"""Dead letters are looked at and stay: by a queue that hides what it hands out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from tidemark.trace import letters

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass
class Queue:
    """A queue of SQS: what is received is hidden until it is made visible again."""

    messages: list[dict[str, Any]]
    hidden: set[str] = field(default_factory=set)
    receives: int = 0
    breaks_after: int | None = None
    never_hides: bool = False

    def get_queue_url(self, **asked: str) -> dict[str, str]:
        assert asked == {"QueueName": "dead"}
        return {"QueueUrl": "url"}

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        self.receives += 1
        if self.receives == self.breaks_after:
            raise ConnectionError
        visible = [one for one in self.messages if one["MessageId"] not in self.hidden]
        taken = visible[: asked["MaxNumberOfMessages"]]
        if not self.never_hides:
            assert 0 < asked["VisibilityTimeout"] < 60
            self.hidden |= {one["MessageId"] for one in taken}
        return {"Messages": taken} if taken else {}

    def change_message_visibility_batch(self, **asked: Any) -> dict[str, Any]:
        assert len({entry["Id"] for entry in asked["Entries"]}) == len(asked["Entries"]) <= 10
        for entry in asked["Entries"]:
            assert entry["VisibilityTimeout"] == 0
            self.hidden.remove(entry["ReceiptHandle"].removeprefix("handle of "))
        return {}


def message(number: int, body: str = "{}", **attributes: str) -> dict[str, Any]:
    message_id = f"message-{number}"
    return {
        "MessageId": message_id,
        "ReceiptHandle": f"handle of {message_id}",
        "Body": body,
        "Attributes": {"ApproximateReceiveCount": "6", **attributes},
    }


def peek(queue: Queue) -> tuple[list[letters.Letter], bool]:
    return letters.peek(cast("SQSClient", queue), "dead")


def test_all_letters_are_seen_and_all_are_visible_again() -> None:
    queue = Queue([message(number) for number in range(23)])

    seen, are_all = peek(queue)

    assert are_all
    assert [one.message_id for one in seen] == [f"message-{number}" for number in range(23)]
    assert queue.hidden == set()
    assert len(queue.messages) == 23


def test_an_empty_queue_has_no_letters() -> None:
    assert peek(Queue([])) == ([], True)


def test_a_look_that_breaks_off_hides_nothing() -> None:
    queue = Queue([message(number) for number in range(12)], breaks_after=2)

    with pytest.raises(ConnectionError):
        peek(queue)

    assert queue.hidden == set()


def test_a_queue_that_hands_out_the_same_letters_again_is_walked_once() -> None:
    queue = Queue([message(1), message(2)], never_hides=True)
    queue.change_message_visibility_batch = lambda **_: {}  # type: ignore[method-assign]  # nothing is hidden

    seen, are_all = peek(queue)

    assert [one.message_id for one in seen] == ["message-1", "message-2"]
    assert not are_all
    assert queue.receives == 2


def test_a_letter_that_comes_twice_does_not_end_the_look() -> None:
    """SQS may hand out a message once more although it is hidden."""
    queue = Queue([message(number) for number in range(12)])
    queue.messages.insert(3, message(1))

    seen, are_all = peek(queue)

    assert (len(seen), are_all) == (12, True)


def test_a_look_ends_at_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "MOST_LETTERS", 15)
    queue = Queue([message(number) for number in range(40)])

    seen, are_all = peek(queue)

    assert len(seen) >= 15
    assert not are_all
    assert queue.receives == 2


def test_a_letter_of_a_queue_is_the_message_itself() -> None:
    body = json.dumps({"event_id": "e", "account_id": "alice"})

    [letter] = letters.read(cast("Any", message(1, body, SentTimestamp="1795000000000")))

    assert (letter.message_id, letter.receive_count) == ("message-1", 6)
    assert letter.sent_at_ms == 1_795_000_000_000
    assert letter.event == {"event_id": "e", "account_id": "alice"}
    assert letter.reason is None
    assert [letter.names(one) for one in ("e", "alice", "message-1", "bob")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_letter_of_a_function_is_what_its_topic_record_carried() -> None:
    body = json.dumps({"Records": [{"Sns": {"MessageId": "m", "Message": '{"event_id": "e"}'}}]})
    error = {"ErrorMessage": {"DataType": "String", "StringValue": "cannot be projected"}}

    [letter] = letters.read(cast("Any", message(1, body) | {"MessageAttributes": error}))

    assert (letter.message_id, letter.event) == ("m", {"event_id": "e"})
    assert letter.reason == "cannot be projected"


@pytest.mark.parametrize("body", ["", "{", "[1]", '"text"', "null", "[" * 100_000])
def test_a_letter_that_cannot_be_read_is_still_a_letter(body: str) -> None:
    [letter] = letters.read(cast("Any", message(1, body)))

    assert (letter.message_id, letter.event) == ("message-1", {})
