"""What a load run on AWS would cost, from what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.project.reading import ROOT
from tidemark.errors import NotStartedError
from tidemark.load import price, profiles
from tidemark.load.price import told_by
from tidemark.measures.slo import MEASURES

if TYPE_CHECKING:
    from tidemark.load.profiles import Profile


def profile(name: str) -> Profile:
    return profiles.profile(ROOT / "loadtest/profiles", name, MEASURES)


def usd(name: str | None, *arguments: str, rate: float = 50) -> float:
    told = told_by(arguments, {})
    read = None if name is None else profile(name)
    return price.estimate(told, read, rate=rate, wiring="queued").usd


@pytest.mark.parametrize(
    ("said", "seconds"), [("20", 20), ("20s", 20), ("5m", 300), ("1h30m", 5400), ("1h1m1s", 3661)]
)
def test_a_duration_is_read_as_locust_reads_it(said: str, seconds: int) -> None:
    assert told_by(["--run-time", said], {}).seconds == seconds


@pytest.mark.parametrize("said", [["--tags", "write"], ["-E", "read"]])
def test_tags_would_change_the_mix_that_is_priced(said: list[str]) -> None:
    with pytest.raises(NotStartedError, match="Tags change what a run costs"):
        told_by(said, {})


@pytest.mark.parametrize("said", ["", "soon", "5 minutes", "-5s", "1s1h"])
def test_what_cannot_be_read_is_not_priced(said: str) -> None:
    with pytest.raises(NotStartedError, match="duration"):
        told_by([f"--run-time={said}"], {})


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(NotStartedError, match="--rate"):
        told_by(["--rate", "fast"], {})


def test_what_no_argument_says_the_environment_does() -> None:
    said = {"LOCUST_RUN_TIME": "2m", "TIDEMARK_RATE": "7", "TIDEMARK_MAX_OPS": "9"}
    told = told_by(["--rate", "8"], said)
    assert (told.seconds, told.rate, told.max_ops) == (120, 8, 9)


@pytest.mark.parametrize("arguments", [["-u", "3"], ["WriteUser"], ["--arrivals", "closed"]])
def test_users_mean_a_closed_loop(arguments: list[str]) -> None:
    assert told_by([*arguments, "--loglevel", "INFO"], {}).profile == "closed"


def test_other_arguments_of_locusts_are_left_alone() -> None:
    assert told_by(["--loglevel", "INFO", "--seed", "5"], {}).profile == "mixed"


def test_twice_the_rate_or_the_time_is_twice_the_load() -> None:
    one = usd("mixed", "--run-time", "600")
    setup = usd("mixed", "--run-time", "0")
    assert usd("mixed", "--run-time", "1200") - setup == pytest.approx(2 * (one - setup))
    assert usd("mixed", "--run-time", "600", rate=100) - setup == pytest.approx(2 * (one - setup))


def test_writes_cost_more_than_reads_and_a_hot_account_more_than_many() -> None:
    ramp = [usd(name, "--run-time", "600") for name in ("read", "mixed", "write")]
    assert ramp == sorted(ramp)
    hot, cold = profile("hot_account"), profile("write")
    assert hot.population.hottest[0] == pytest.approx(0.5)
    assert cold.population.hottest[0] < 0.1


def test_no_more_calls_are_priced_than_may_be_made() -> None:
    assert usd("write", "--max-ops", "10", "--run-time", "1h") < usd("write", "--run-time", "1h")


def test_what_was_priced_is_what_is_sent() -> None:
    told = told_by(["-u", "3", "-t", "1m", "--read-share", "0.5"], {})
    assert told_by(told.arguments, {"LOCUST_RUN_TIME": "9h"}) == told
