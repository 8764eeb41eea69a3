"""What one call of one session came to: an op, and the sorting of answers into outcomes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from tidemark.api.exchange import Answer, LostError, NotSentError, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.api.call import Call, Kind

CLIENT_PROBLEM = "urn:tidemark:client:"

_REQUEST_TIMEOUT = 408

_ETAG = re.compile(r'^(?:W/)?"(\d+)"$')


class Outcome(StrEnum):
    """What is known about a call once it is over."""

    OK = "ok"
    """Done: the answer says so."""

    FAIL = "fail"
    """Certainly not done: refused by an answer, or never sent."""

    INFO = "info"
    """It may have been done: a timeout, a lost connection, a 5xx, an answer nobody can read."""


class Purpose(StrEnum):
    """What a call is sent for: the same operation may be what a run is about, or help it."""

    LOAD = "load"
    """The traffic that the run is about."""

    TEST = "test"
    """A test that looks at what comes of it."""

    SETUP = "setup"
    """To have something there, before."""

    POLL = "poll"
    """To see when something can be seen; never counted as throughput."""

    PROOF = "proof"
    """To see that the system works at all."""

    FINAL = "final"
    """To read the final state, after."""


class Op(msgspec.Struct, frozen=True, kw_only=True):
    """One call by one session, and what is known of it.

    Attributes:
        writer: The process that called.
        session: Who called there; the ops of one session do not overlap.
        sequence: Its place among the calls of the session, from 1.
        purpose: What it was sent for.
        principal: Whom the system knew the caller as, if that is known.
        call: What was commanded or asked; a command with the key it was sent with.
        aggregate: The id of what was called for (an account), if it is known.
        intended_ns: When the call was planned, UTC nanoseconds; `start_ns` if it was not.
        start_ns: When the request was handed to the transport, UTC nanoseconds.
        end_ns: When its answer was complete or given up, UTC nanoseconds.
        outcome: See `Outcome`.
        status: The HTTP status, None if no answer came.
        replayed: The answer is that of an earlier call with the same key.
        version: What an ok command made, or a query saw. Of a refusal: the version it names.
        event_id: The event of an ok command.
        problem_type: The URI of what went wrong, None if ok.
        detail: What went wrong, in words.
        state: What an ok query saw, as JSON.
        retry_after_s: After how many seconds it makes sense to try again, if the answer says so.
    """

    writer: str
    session: str
    sequence: int
    purpose: Purpose
    principal: str | None = None
    call: Call
    aggregate: str | None = None
    intended_ns: int
    start_ns: int
    end_ns: int
    outcome: Outcome
    status: int | None = None
    replayed: bool = False
    version: int | None = None
    event_id: str | None = None
    problem_type: str | None = None
    detail: str | None = None
    state: Mapping[str, Any] | None = None
    retry_after_s: int | None = None

    @property
    def kind(self) -> Kind:
        """A command or a query."""
        return self.call.kind

    @property
    def operation(self) -> str:
        """The operation's name, such as `deposit`."""
        return self.call.operation

    @property
    def key(self) -> str | None:
        """The idempotency key of a command."""
        return self.call.key

    @property
    def problem(self) -> str | None:
        """The last part of the problem type, such as `busy` or `insufficient-funds`."""
        return problem_name(self.problem_type)

    @property
    def latency_ms(self) -> float:
        """How long the call took from its intended start, in milliseconds."""
        return (self.end_ns - self.intended_ns) / 1e6


@dataclass(frozen=True)
class Judged:
    """The outcome of one exchange and what went wrong, if anything did."""

    outcome: Outcome
    problem_type: str | None = None
    detail: str | None = None


_DONE = Judged(Outcome.OK)


def judge(result: Answer | TransportError) -> Judged:
    """Sort an exchange by what is certain about it.

    A 4xx is refused, a throttled 429 included: nothing ran that could have written.
    A 5xx is `info`, also where the gateway made it: AWS answers 500 for a function that was
    throttled and 504 for one that finished too late, and the two look alike from here.
    A 408 is whoever gave up waiting, and not who did the work: `info` as well.
    A redirect, or a 2xx that is not the API's JSON, proves nothing: `info`.
    """
    if not isinstance(result, Answer):
        return _judge_failure(result)
    members = result.members
    if 200 <= result.status < 300:
        if members is None:
            return Judged(Outcome.INFO, f"{CLIENT_PROBLEM}unreadable", _excerpt(result.body))
        return _DONE
    is_refused = 400 <= result.status < 500 and result.status != _REQUEST_TIMEOUT
    outcome = Outcome.FAIL if is_refused else Outcome.INFO
    return Judged(outcome, *_problem(result, members or {}))


def _judge_failure(error: TransportError) -> Judged:
    if isinstance(error, NotSentError):
        return Judged(Outcome.FAIL, f"{CLIENT_PROBLEM}not-sent", str(error))
    kind = "lost" if isinstance(error, LostError) else "transport"
    return Judged(Outcome.INFO, f"{CLIENT_PROBLEM}{kind}", str(error))


def problem_name(problem_type: str | None) -> str | None:
    """Return the last part of a problem's URI, such as `busy` or `insufficient-funds`."""
    return None if problem_type is None else problem_type.rpartition(":")[2]


def version_of(answer: Answer) -> int | None:
    """Return the version an answer names: its `ETag`, else the member `version` of its body."""
    if match := _ETAG.match(answer.headers.get("etag", "")):
        return int(match[1])
    version = (answer.members or {}).get("version")
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def _problem(answer: Answer, members: Mapping[str, Any]) -> tuple[str, str]:
    """Read both error shapes: the API's problem+json, and a gateway's own `message`."""
    problem_type = members.get("type")
    if isinstance(problem_type, str) and problem_type not in {"", "about:blank"}:
        return problem_type, str(members.get("detail") or members.get("title") or "")
    message = members.get("message") or members.get("Message") or members.get("detail")
    return f"{CLIENT_PROBLEM}http-{answer.status}", str(message or _excerpt(answer.body))


def _excerpt(body: bytes) -> str:
    return body[:200].decode("utf-8", errors="replace")
