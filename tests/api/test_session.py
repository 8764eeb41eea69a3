from __future__ import annotations

import re
import threading

import pytest

from tidemark.api.session import Session, Writer, new_run_id


def test_ids_and_keys_of_a_session_begin_with_run_writer_and_session() -> None:
    assert Writer("run-1", "w1").session("c3").prefix == "run-1.w1.c3"


def test_a_session_asked_for_twice_is_the_same() -> None:
    writer = Writer("run-1", "w1")
    assert writer.session("c3") is writer.session("c3")
    assert writer.session("c3") is not writer.session("c4")


def test_the_calls_of_a_session_are_numbered_from_1() -> None:
    session = Session(Writer("run", "w1"), "s")
    numbers = []
    for _ in range(3):
        with session.calling() as number:
            numbers.append(number)
    assert numbers == [1, 2, 3]


def test_two_calls_of_a_session_at_once_are_an_error_that_says_what_to_do() -> None:
    session = Session(Writer("run", "w1"), "s")
    caught: list[RuntimeError] = []

    def call() -> None:
        try:
            with session.calling():
                pass
        except RuntimeError as error:
            caught.append(error)

    with session.calling():
        other = threading.Thread(target=call)
        other.start()
        other.join()
    assert "for_session" in str(caught[0])
    with session.calling() as number:
        assert number == 2


def test_a_call_that_failed_lets_the_next_one_go() -> None:
    session = Session(Writer("run", "w1"), "s")
    with pytest.raises(KeyError), session.calling():
        raise KeyError
    with session.calling() as number:
        assert number == 2


@pytest.mark.parametrize("name", ["", "a.b", "a b", "ä", ".a", "a/b"])
def test_a_name_that_would_blur_the_prefix_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="cannot begin"):
        Writer("run", "w1").session(name)
    with pytest.raises(ValueError, match="cannot begin"):
        Writer(name, "w1")


def test_each_run_has_a_name_of_its_own_that_begins_with_the_time() -> None:
    one, other = new_run_id(), new_run_id()
    assert one != other
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{6}", one)
