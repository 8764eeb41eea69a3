"""What is chosen of a stack: what is named, else what is deployed."""

from __future__ import annotations

from tidemark.cli import choices

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


def test_what_is_named_counts_and_what_is_not_stays_as_it_is_deployed() -> None:
    deployed = {"wiring": "direct", "arch": "arm64", "retention": "destroy"}

    assert choices.keep(deployed, {}) == {"wiring": "direct", "arch": "arm64"}
    assert choices.keep(deployed, {"wiring": "queued"}) == {"arch": "arm64"}
    assert choices.keep({}, {"wiring": "direct"}) == {"wiring": "direct"}


def test_the_default_is_not_named_so_that_it_is_one_and_the_same_assembly() -> None:
    assert choices.keep({"wiring": "queued", "retention": "destroy"}, {"arch": "x86_64"}) == {}


def test_a_topic_of_alarms_is_kept_until_none_is_named() -> None:
    assert choices.keep({"alarm_topic_arn": TOPIC}, {}) == {"alarm_topic_arn": TOPIC}
    nobody = choices.choose(["alarm_topic_arn="], wiring=None, retention=None)
    assert choices.keep({"alarm_topic_arn": TOPIC}, nobody) == {}


def test_only_what_is_kept_and_not_the_default_is_worth_a_word() -> None:
    deployed = {"wiring": "direct", "arch": "arm64", "retention": "destroy"}

    assert choices.describe(deployed, {"arch": "arm64"}) == (
        "it keeps wiring direct, as it is deployed (-c wiring=queued changes that)"
    )
    assert choices.describe(deployed, {"wiring": "direct", "arch": "x86_64"}) is None
    assert choices.describe({}, {}) is None
