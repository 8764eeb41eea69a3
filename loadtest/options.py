"""The options of a load run: Locust's own with small defaults, and a few more."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentTypeError
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from loadtest import last_words
from loadtest.sent import PROFILES
from tidemark.errors import ExitCode
from tidemark.load import profiles
from tidemark.load.options import (
    CLOSED,
    DEFAULT_PROFILE,
    DEFAULT_RUN_TIME_S,
    HIGHEST_RATE,
    MOST_USERS,
    OPTIONS,
)
from tidemark.load.toml_file import nearest

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Collection

_MOST_PROCESSES = 32
_ONE_EACH_CORE = -1
_FASTEST_SPAWN = 200
_LONGEST_RUN_S = 3600
# What argparse would say it of: a name that stands alone, and what `tidemark load` has another
# name for.
_OF = re.compile(r"^argument (<UserClass1 UserClass2>|-t/--run-time): ")


def add_options(parser: ArgumentParser, users: Collection[str]) -> None:
    """Add the options of a load run to Locust's, and keep a first run small.

    Args:
        parser: Locust's.
        users: The names of the kinds of users that there are.
    """
    parser.set_defaults(
        spawn_rate=100,  # all at once, as far as Locust likes it: the plan says when calls begin
        run_time=DEFAULT_RUN_TIME_S,
        stop_timeout="35",
        web_host="127.0.0.1",
        master_bind_host="127.0.0.1",
        loglevel="WARNING",
    )
    group = parser.add_argument_group("Tidemark")
    for option in OPTIONS:
        group.add_argument(
            option.flag,
            type=option.kind,
            default=option.default,
            metavar=option.metavar,
            env_var=option.variable,
            help=option.help,
        )

    known = sorted(profiles.names(PROFILES), key=lambda name: name != DEFAULT_PROFILE)

    def profile(name: str) -> str:
        if name in {*known, CLOSED}:
            return name
        raise ArgumentTypeError(f"There is no {name}; {nearest(name, [*known, CLOSED])}.")

    def user(name: str) -> str:
        if name in users:
            return name
        raise ArgumentTypeError(f"There is no {name}; {nearest(name, [*known, *users])}.")

    # Told as they are parsed: right after that, Locust would fork, or end with a code of its own.
    types = {"processes": _processes, "user_classes": user, "arrivals": profile}
    for action in parser._actions:  # noqa: SLF001 -- argparse has no other way
        if action.dest == "arrivals":
            action.choices = [*known, CLOSED]
        elif action.dest == "run_time":
            types["run_time"] = partial(_duration, action.type)
        action.type = types.get(action.dest, action.type)
    parser.error = _refuse  # type: ignore[method-assign]  # argparse has no other way to say 64


def settle(options: Namespace) -> None:
    """Decide on a profile if nobody did: who names users, or how many, means a closed loop."""
    if options.arrivals is None:
        is_closed = options.num_users or options.user_classes
        options.arrivals = CLOSED if is_closed else DEFAULT_PROFILE


def number(said: Any) -> float | None:
    """Return an option that nobody may have said; Locust's page says it as text.

    Raises:
        ValueError: If it is no number.
    """
    return None if said in {None, ""} else float(said)


def problem_with(options: Namespace) -> str | None:
    """Return what is wrong with the parsed options, as a sentence, or None.

    A run is bounded, over all of its processes together.
    """
    checks = (
        (
            options.num_users is None or 1 <= options.num_users <= MOST_USERS,
            f"--users must be 1 to {MOST_USERS}",
        ),
        (
            0 < (options.spawn_rate or 0) <= _FASTEST_SPAWN,
            f"--spawn-rate must be above 0 and at most {_FASTEST_SPAWN} users/s",
        ),
        (
            1 <= (options.run_time or 0) <= _LONGEST_RUN_S,
            f"--run-time must be 1 to {_LONGEST_RUN_S} s",
        ),
        (0 <= options.read_share <= 1, "--read-share must be 0 to 1"),
        (options.max_ops >= 1, "--max-ops must be 1 or more"),
        (0 <= (number(options.max_errors) or 0) <= 1, "--max-errors must be 0 to 1"),
        (
            0 < (1.0 if (rate := number(options.rate)) is None else rate) <= HIGHEST_RATE,
            f"--rate must be more than 0, and at most {HIGHEST_RATE:g}",
        ),
        (options.check in {"fail", "off"}, "--check must be fail or off"),
        (options.lag_deadline >= 0, "--lag-deadline must be 0 or more"),
        (not options.host, "The deployment says where to go: leave --host away"),
    )
    return next((f"{sentence}." for holds, sentence in checks if not holds), None)


def _processes(said: str) -> int:
    many = int(said)
    if many != _ONE_EACH_CORE and not 1 <= many <= _MOST_PROCESSES:
        raise ArgumentTypeError(f"There may be 1 to {_MOST_PROCESSES} of them; -1 for each core.")
    return many


def _duration(read: Any, said: str) -> Any:
    try:
        return read(said)
    except (ValueError, ArgumentTypeError):
        raise ArgumentTypeError(f"{said} is no duration: say it like 20s, 5m or 1h30m.") from None


def _refuse(message: str) -> NoReturn:
    last_words.say(" ".join(_OF.sub("", message).split()), ExitCode.NOT_STARTED)
    sys.exit(ExitCode.NOT_STARTED)
