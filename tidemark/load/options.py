"""The options of a load run that are not Locust's own."""

from __future__ import annotations

from dataclasses import dataclass

# The sweeper's longest way round: an event whose publish was lost is due after a while, swept
# once a minute, delivered and projected, with retries.
LAG_DEADLINE_S = 150.0

HIGHEST_RATE = 10_000
"""Of which a profile may take its shares, in calls per second; and how many users there may be."""

MOST_USERS = 200

DEFAULT_PROFILE = "mixed"
DEFAULT_RUN_TIME_S = 20
DEFAULT_USERS = 4
"""What is sent, for how long, and by how many users in a closed loop, if nobody says."""

CLOSED = "closed"
"""The profile of callers who wait for an answer before they call again."""


@dataclass(frozen=True)
class LoadOption:
    """One option.

    Attributes:
        flag: As it is written on the command line.
        metavar: What its value is.
        kind: What the value is read as.
        default: What it is if nobody says; None for what the help says.
        variable: The environment variable that may say so.
        help: What it does.
    """

    flag: str
    metavar: str
    kind: type
    default: str | float | None
    variable: str
    help: str


OPTIONS = (
    LoadOption(
        "--arrivals",
        "<name>",
        str,
        None,
        "TIDEMARK_ARRIVALS",
        "What arrives, of loadtest/profiles; closed: callers who wait for an answer before they "
        "call again. Default: mixed, or closed where users are said",
    ),
    LoadOption(
        "--rate",
        "<calls/s>",
        float,
        None,
        "TIDEMARK_RATE",
        "The rate of which a profile takes its shares. Default: that in loadtest/targets",
    ),
    LoadOption(
        "--check",
        "<fail|off>",
        str,
        "fail",
        "TIDEMARK_CHECK",
        "Judge at the end what the run left behind; off measures its calls alone. Default: fail",
    ),
    LoadOption(
        "--seed",
        "<text>",
        str,
        None,
        "TIDEMARK_SEED",
        "Where every draw comes from. Default: a new one, which is printed",
    ),
    LoadOption(
        "--read-share",
        "<0..1>",
        float,
        0.8,
        "TIDEMARK_READ_SHARE",
        "The share of reads of a MixedUser. Default: 0.8",
    ),
    LoadOption(
        "--max-ops",
        "<int>",
        int,
        5_000_000,
        "TIDEMARK_MAX_OPS",
        "Stop after so many calls. Default: 5000000",
    ),
    LoadOption(
        "--max-errors",
        "<0..1>",
        float,
        None,
        "TIDEMARK_MAX_ERRORS",
        "The share of errors that is still fine; more is a missed SLO. Default: 0.01",
    ),
    LoadOption(
        "--lag-deadline",
        "<seconds>",
        float,
        LAG_DEADLINE_S,
        "TIDEMARK_LAG_DEADLINE_S",
        "How long to wait for the last event to be projected. Default: 150",
    ),
)
