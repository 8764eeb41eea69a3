from __future__ import annotations

from typing import TYPE_CHECKING, Any

import configargparse  # type: ignore[import-untyped]  # it has no types
import pytest

from loadtest.options import add_options, problem_with, settle

if TYPE_CHECKING:
    from argparse import Namespace


def parsed(*arguments: str, **locusts: Any) -> Namespace:
    parser = configargparse.ArgumentParser()
    # Locust's:
    parser.add_argument("--processes", type=int)
    parser.add_argument("user_classes", nargs="*")
    parser.add_argument("-t", "--run-time", type=int)
    add_options(parser, ["MixedUser", "WriteUser"])
    options: Namespace = parser.parse_args(arguments)
    defaults = {"num_users": None, "master": False, "worker": False, "host": None}
    vars(options).update(defaults | locusts)
    return options


def test_a_first_run_is_small_and_stops_by_itself() -> None:
    options = parsed()
    assert problem_with(options) is None
    assert options.arrivals is None
    assert options.run_time <= 60
    assert options.web_host == "127.0.0.1"
    assert options.seed is None


@pytest.mark.parametrize(
    ("changed", "profile"),
    [
        ({}, "mixed"),
        ({"num_users": 3}, "closed"),
        ({"user_classes": ["WriteUser"]}, "closed"),
        ({"arrivals": "ramp", "num_users": 3}, "ramp"),
    ],
)
def test_who_names_users_means_a_closed_loop_unless_a_profile_is_said(
    changed: dict[str, Any], profile: str
) -> None:
    options = parsed(**changed)
    settle(options)

    assert options.arrivals == profile


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rate": 0.0}, "--rate"),
        ({"num_users": 0}, "--users"),
        ({"num_users": 201}, "--users"),
        ({"spawn_rate": 0}, "--spawn-rate"),
        ({"spawn_rate": 201}, "--spawn-rate"),
        ({"spawn_rate": float("nan")}, "--spawn-rate"),
        ({"run_time": 0}, "--run-time"),
        ({"run_time": None}, "--run-time"),
        ({"run_time": 3601}, "--run-time"),
        ({"read_share": -0.1}, "--read-share"),
        ({"read_share": 1.1}, "--read-share"),
        ({"read_share": float("nan")}, "--read-share"),
        ({"max_ops": 0}, "--max-ops"),
        ({"max_errors": -0.1}, "--max-errors"),
        ({"max_errors": 1.1}, "--max-errors"),
        ({"lag_deadline": -1.0}, "--lag-deadline"),
        ({"lag_deadline": float("nan")}, "--lag-deadline"),
        ({"host": "http://127.0.0.1:1"}, "--host"),
    ],
)
def test_an_option_out_of_bounds_is_named_in_one_sentence(
    changed: dict[str, Any], says: str
) -> None:
    problem = problem_with(parsed(**changed))
    assert problem is not None
    assert says in problem
    assert problem.endswith(".")
    assert "\n" not in problem


@pytest.mark.parametrize(
    "changed",
    [{"num_users": 200}, {"run_time": 3600}, {"read_share": 0.0}, {"lag_deadline": 0.0}],
)
def test_the_bounds_themselves_are_fine(changed: dict[str, Any]) -> None:
    assert problem_with(parsed(**changed)) is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--max-ops", "many"), "--max-ops"),
        (("--processes", "33"), "1 to 32"),
        (("--arrivals", "mixd"), "There is no mixd; the nearest is mixed"),
        (("--run-time", "soon"), "soon is no duration: say it like 20s, 5m or 1h30m."),
        (("foo",), "There is no foo; there are MixedUser, WriteUser, hot_account"),
        (("WriteUser", "foo"), "There is no foo"),
    ],
)
def test_what_cannot_be_parsed_ends_with_64(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(*arguments)
    assert ended.value.code == 64
    said, last = capsys.readouterr().err.splitlines()
    assert says in said
    assert last == "tidemark: not started (exit 64)"
