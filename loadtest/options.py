"""The options of a load run: Locust's own with small defaults, and a few more."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, NoReturn

from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_ONE_PROCESS = "A load run is one process: leave --master, --worker and --processes away"
_MOST_USERS = 200
_LONGEST_RUN_S = 3600

# The sweeper's longest way round: an event whose publish was lost is due after a while, swept
# once a minute, delivered and projected, with retries.
LAG_DEADLINE_S = 150.0


def add_options(parser: ArgumentParser) -> None:
    """Add the options of a load run to Locust's, and keep a first run small."""
    parser.set_defaults(
        num_users=4,
        spawn_rate=50,
        run_time=20,
        stop_timeout="35",
        web_host="127.0.0.1",
        loglevel="WARNING",
    )
    group = parser.add_argument_group("Tidemark")
    group.add_argument(
        "--seed",
        metavar="<text>",
        env_var="TIDEMARK_SEED",
        help="Where every draw comes from. Default: a new one, which is printed",
    )
    group.add_argument(
        "--read-share",
        type=float,
        default=0.8,
        metavar="<0..1>",
        env_var="TIDEMARK_READ_SHARE",
        help="The share of reads of a MixedUser. Default: 0.8",
    )
    group.add_argument(
        "--max-ops",
        type=int,
        default=50_000,
        metavar="<int>",
        env_var="TIDEMARK_MAX_OPS",
        help="Stop after so many calls. Default: 50000",
    )
    group.add_argument(
        "--lag-deadline",
        type=float,
        default=LAG_DEADLINE_S,
        metavar="<seconds>",
        env_var="TIDEMARK_LAG_DEADLINE_S",
        help="How long to wait for the last event to be projected, in seconds. Default: 150",
    )
    # Refused as it is parsed: right after that, Locust would fork.
    parser._option_string_actions["--processes"].type = _several  # noqa: SLF001 -- argparse has no other way
    parser.error = _refuse  # type: ignore[method-assign]  # argparse has no other way to say 64


def problem_with(options: Namespace) -> str | None:
    """Return what is wrong with the parsed options, as a sentence, or None.

    A run from a laptop against a loopback emulator is bounded; whoever needs more than this
    needs more than one process.
    """
    checks = (
        (
            not (options.master or options.worker),
            _ONE_PROCESS,
        ),
        (1 <= options.num_users <= _MOST_USERS, f"--users must be 1 to {_MOST_USERS}"),
        (
            1 <= (options.run_time or 0) <= _LONGEST_RUN_S,
            f"--run-time must be 1 to {_LONGEST_RUN_S} s",
        ),
        (0 <= options.read_share <= 1, "--read-share must be 0 to 1"),
        (options.max_ops >= 1, "--max-ops must be 1 or more"),
        (options.lag_deadline >= 0, "--lag-deadline must be 0 or more"),
        (not options.host, "The deployment says where to go: leave --host away"),
    )
    return next((f"{sentence}." for holds, sentence in checks if not holds), None)


def _several(_: str) -> NoReturn:
    raise ArgumentTypeError(f"{_ONE_PROCESS}.")


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(f"{' '.join(message.split())}\nrefused before start (64)\n")
    sys.exit(ExitCode.REFUSED)
