"""Deciding a command: read the head, decide, append; and never twice for one idempotency key."""

from dataclasses import dataclass

from functions.adapters.aws_errors import ContendedError, UnansweredError
from functions.adapters.clock import Clock
from functions.adapters.command_store import CommandRecord, CommandStore, KeyTakenError
from functions.command_handler.requests import CommandRequest, Existing
from functions.domain.account import Account, Event, NotStartedError, Rule, Stamp, decide, evolve

TRIES = 5


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command was accepted, and caused this event."""

    record: CommandRecord
    event: Event


@dataclass(frozen=True, slots=True)
class Replayed:
    """An earlier try of the command was accepted, and this was its answer."""

    record: CommandRecord


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule refuses the command: it is not done."""

    rule: Rule
    detail: str


@dataclass(frozen=True, slots=True)
class AtAnotherVersion:
    """The account is at this version, not at the one that the caller wants: it is not done."""

    version: int


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key stands for another command: this one is not done."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Others changed the account, try after try: it is not done."""


Refusal = Refused | AtAnotherVersion | Busy
Outcome = Accepted | Replayed | KeyReused | Refusal


def execute(request: CommandRequest, store: CommandStore, clock: Clock) -> Outcome:
    """Accept a command, replay the answer it was given before, or refuse it.

    One consistent read and one transaction when it is accepted at once. A moved head is decided
    again, at most `TRIES` times. Before any refusal the command record is read, after the head:
    the effect of an earlier try must not refuse its own retry.

    Raises:
        AwsError: nobody knows whether it is done.
    """
    stamp = Stamp(
        event_id=clock.new_id(), command_id=request.command_id, recorded_at=clock.now_ms()
    )
    ambiguous = False
    for attempt in range(1, TRIES + 1):
        try:
            account = store.head(request.command.account_id)
            decided = _decide(account, request, stamp)
            if not isinstance(decided, Event):
                return _unless_accepted_before(decided, request, store, clock.now_ms())
            record = store.append(
                decided,
                after=evolve(account, decided),
                expected_version=decided.version - 1,
                payload_hash=request.payload_hash,
            )
        except KeyTakenError as taken:
            return _replayed(request, taken.record)
        except ContendedError as contended:
            ambiguous = ambiguous or contended.ambiguous
            if attempt < TRIES:
                clock.pause(clock.jittered_ms(attempt, base_ms=20, longest_ms=200))
        else:
            return Accepted(record, decided)
    outcome = _unless_accepted_before(Busy(), request, store, clock.now_ms())
    if ambiguous and isinstance(outcome, Busy):
        # A try that was not answered may still be on its way.
        raise UnansweredError("a try of the transaction was not answered", ambiguous=True)
    return outcome


def _decide(
    account: Account | None, request: CommandRequest, stamp: Stamp
) -> Event | Refused | AtAnotherVersion:
    version = 0 if account is None else account.version
    wanted = request.wanted_version
    met = wanted is None or (version > 0 if wanted is Existing.ANY else wanted == version)
    try:
        event = decide(account, request.command, stamp)
    except NotStartedError as refused:
        # RFC 9110, 13.2.1: a missing resource is told before a precondition, a rule after it.
        if met or refused.rule is Rule.NO_SUCH_ACCOUNT:
            return Refused(refused.rule, refused.detail)
        return AtAnotherVersion(version)
    return event if met else AtAnotherVersion(version)


def _unless_accepted_before(
    refusal: Refusal, request: CommandRequest, store: CommandStore, now_ms: int
) -> Outcome:
    record = store.record(request.command_id, now_ms=now_ms)
    return refusal if record is None else _replayed(request, record)


def _replayed(request: CommandRequest, record: CommandRecord) -> Replayed | KeyReused:
    same = record.payload_hash == request.payload_hash
    return Replayed(record) if same else KeyReused()
