from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.project.reading import ROOT
from tidemark.errors import NotStartedError
from tidemark.load import profiles
from tidemark.load.arrivals import Stretch

if TYPE_CHECKING:
    from pathlib import Path

PROFILES = ROOT / "loadtest/profiles"
TARGETS = ROOT / "loadtest/targets"
MEASURES = ("latency_p99_ms", "lag_p99_ms")
GOOD = """\
about = "of a test"
arrivals = "even"

[[stretches]]
part = 1
rate = 0.5

[[stretches]]
part = 3
from = 0.5
to = 1

[mix]
deposit = 1
account = 4

[accounts]
number = 7
choice = "zipfian"

[slo]
latency_p99_ms = 500
"""


def read(folder: Path, text: str) -> profiles.Profile:
    (folder / "it.toml").write_text(text, encoding="utf-8")
    return profiles.profile(folder, "it", MEASURES)


@pytest.mark.parametrize("name", profiles.names(PROFILES))
def test_every_profile_is_right_and_says_what_it_is_for(name: str) -> None:
    profile = profiles.profile(PROFILES, name, MEASURES)

    assert profile.about
    assert sum(one.seconds for one in profile.shares) == pytest.approx(1)


@pytest.mark.parametrize("name", profiles.names(TARGETS))
def test_every_rate_of_a_target_is_right(name: str) -> None:
    assert profiles.target_rate(TARGETS, name, MEASURES).rate > 0


def test_rates_are_shares_of_the_targets(tmp_path: Path) -> None:
    profile = read(tmp_path, GOOD)
    plan = profile.plan(seconds=40, rate=100, seed="")

    assert plan.stretches == (Stretch(10, 50, 50), Stretch(30, 50, 100))
    assert not plan.is_poisson
    assert profile.mix == {"deposit": 1, "account": 4}
    assert (profile.population.accounts, profile.population.account_choice) == (7, "zipfian")
    assert profile.slo == {"latency_p99_ms": 500}


def test_of_the_commands_of_every_profile_some_are_sent_a_second_time(tmp_path: Path) -> None:
    def repeated(text: str) -> float:
        return Counter(
            one.again_after_s is not None
            for one in read(tmp_path, text).plan(seconds=1000, rate=1, seed="s").arrivals()
        )[True]

    commands = 0.2 * 687.5  # of so many arrivals
    # Each that comes again comes twice.
    assert repeated(GOOD) == pytest.approx(2 * 0.05 * commands, rel=0.2)
    assert repeated(f"{GOOD}[repeats]\nshare = 1") == pytest.approx(2 * commands, rel=0.2)
    assert repeated(f"{GOOD}[repeats]\nshare = 0") == 0
    assert repeated(GOOD.replace("deposit = 1", "totals = 1")) == 0


@pytest.mark.parametrize(
    ("seconds", "rate", "share"),
    [
        (20, 5, 1.0),  # 20 writes, of which a second has one
        (20, 20, 0.25),
        (500, 20, 0.1),  # 2,000 writes, of which 200 are enough
        (500, 400, 0.05),
        (20, 0, 0.05),
    ],
)
def test_of_a_short_run_more_writes_are_sampled(
    tmp_path: Path, seconds: float, rate: float, share: float
) -> None:
    text = GOOD.replace("rate = 0.5", "rate = 1").replace("from = 0.5", "from = 1")
    profile = read(tmp_path, text)
    plan = profile.plan(seconds=seconds, rate=rate, seed="")

    assert profile.write_share == 0.2
    assert profile.sampled_share(plan) == pytest.approx(share)
    named = read(tmp_path, f"{text}[visibility]\nshare = 0.5\n")
    assert named.sampled_share(plan) == 0.5


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("arrivals =", "arivals =", "line 2: there is no arivals; the nearest is arrivals"),
        ('"even"', '"evn"', "line 2: there is no arrivals 'evn'; the nearest is even"),
        ("rate = 0.5", "rate = -0.5", "line 6: rate is 0 to 100, and not -0.5"),
        ("rate = 0.5", "rate = 1000", "line 6: rate is 0 to 100, and not 1000"),
        ("rate = 0.5", 'rate = "half"', "line 6: rate is a number, and not 'half'"),
        ("rate = 0.5", "rate = true", "line 6: rate is a number, and not True"),
        ("rate = 0.5", "rate = nan", "line 6: rate is 0 to 100, and not nan"),
        ("part = 3", "prt = 3", "line 9: there is no prt; the nearest is part"),
        ("part = 3", "rate = 3", "line 9: a stretch has either a rate, or from and to"),
        ("to = 1", "", "line 8: to is missing"),
        ("deposit = 1", "depositt = 1", "line 14: there is no depositt; the nearest is deposit"),
        ("account = 4", "account = -4", "line 15: account is 0 to 1e+09, and not -4"),
        ("deposit = 1\naccount = 4", "", "line 13: no operation of it has a weight"),
        ("number = 7", "number = 0.5", "line 18: number is a whole one from 1, and not 0.5"),
        ('"zipfian"', '"zipf"', "line 19: there is no choice 'zipf'; the nearest is zipfian"),
        ("latency_p99", "latency_p98", "line 22: there is no latency_p98_ms; the nearest is"),
        ("[mix]", "[[mix", "at line 13"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, right: str, wrong: str, told: str
) -> None:
    with pytest.raises(NotStartedError) as refused:
        read(tmp_path, GOOD.replace(right, wrong, 1))

    assert told in str(refused.value)
    assert re.fullmatch(r"\S+it\.toml[:,] .+\.", str(refused.value))


def test_without_arrivals_or_operations_there_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(NotStartedError, match="line 1: its stretches have no arrival"):
        read(tmp_path, "[mix]\ndeposit = 1\n")
    with pytest.raises(NotStartedError, match="line 1: mix is missing"):
        read(tmp_path, "[[stretches]]\nrate = 1\n")


def test_a_profile_that_is_not_there_has_a_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotStartedError, match="There is no profile mixd; the nearest is mixed"):
        profiles.profile(PROFILES, "mixd", MEASURES)
    with pytest.raises(NotStartedError, match="There is no target mine; there are aws, embedded"):
        profiles.target_rate(TARGETS, "mine", MEASURES)
    (tmp_path / "it.toml").write_text("rate = 0")
    with pytest.raises(NotStartedError, match="line 1: nothing would be sent"):
        profiles.target_rate(tmp_path, "it", MEASURES)
