"""Deciding a command: read the head, decide, append; and never twice for one idempotency key."""

from dataclasses import dataclass

from functions.adapters.clock import Clock
from functions.adapters.command_store import CommandRecord, CommandStore, KeyTakenError
from functions.adapters.http import ProblemError
from functions.adapters.transactions import ContendedError
from functions.command_handler.requests import CommandRequest
from functions.domain.account import Account, Event, RefusedError, Rule, Stamp, decide, evolve

TRIES = 5

_STATUS_OF = {
    Rule.NO_SUCH_ACCOUNT: 404,
    Rule.ALREADY_EXISTS: 409,
    Rule.ACCOUNT_CLOSED: 422,
    Rule.INSUFFICIENT_FUNDS: 422,
    Rule.BALANCE_LIMIT: 422,
    Rule.BALANCE_NOT_ZERO: 422,
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command that was accepted: now, with the event it caused, or by an earlier try."""

    record: CommandRecord
    event: Event | None


def execute(request: CommandRequest, store: CommandStore, clock: Clock) -> Accepted:
    """Accept a command, replay the answer it was given before, or refuse it.

    One consistent read and one transaction when it is accepted at once. A moved head is decided
    again, at most `TRIES` times. Before any refusal the command record is read, after the head:
    the effect of an earlier try must not refuse its own retry.

    Raises:
        ProblemError: the command is refused, and certainly not done; or its key stands for
            another payload.
        ContendedError: not even the command record could be read.
    """
    stamp = Stamp(event_id=clock.new_id(), command_id=request.key, recorded_at=clock.now_ms())
    for attempt in range(1, TRIES + 1):
        try:
            account = store.head(request.command.account_id)
            event = _decide(account, request, stamp)
            record = store.append(
                event,
                after=evolve(account, event),
                expected_version=event.version - 1,
                payload_hash=request.payload_hash,
            )
        except ProblemError as refusal:
            return _replay_or_refuse(request, store, refusal, clock.now_ms())
        except KeyTakenError as taken:
            return _replay(request, taken.record)
        except ContendedError:
            if attempt < TRIES:
                clock.pause(clock.jittered_ms(attempt, base_ms=20, longest_ms=200))
        else:
            return Accepted(record, event)
    busy = ProblemError(
        409,
        "busy",
        f"account {request.command.account_id} changed {TRIES} times meanwhile; nothing was done",
        headers={"Retry-After": "1"},
    )
    return _replay_or_refuse(request, store, busy, clock.now_ms())


def _decide(account: Account | None, request: CommandRequest, stamp: Stamp) -> Event:
    version = 0 if account is None else account.version
    try:
        event = decide(account, request.command, stamp)
    except RefusedError as refused:
        if refused.rule is not Rule.NO_SUCH_ACCOUNT:
            _check_version(request, version)
        raise ProblemError(_STATUS_OF[refused.rule], refused.rule, refused.detail) from refused
    _check_version(request, version)
    return event


def _check_version(request: CommandRequest, version: int) -> None:
    # RFC 9110, 13.1.1 and 13.2.1: `*` asks for any current state, and a missing resource is told
    # before a precondition, a rule after it.
    current = f'"{version}"'
    if request.if_match in (None, current) or (request.if_match == "*" and version):
        return
    raise ProblemError(
        412,
        "precondition-failed",
        f"the account is at version {version}",
        headers={"ETag": current},
        version=version,
    )


def _replay_or_refuse(
    request: CommandRequest, store: CommandStore, refusal: ProblemError, now_ms: int
) -> Accepted:
    record = store.record(request.key, now_ms=now_ms)
    if record is None:
        raise refusal
    return _replay(request, record)


def _replay(request: CommandRequest, record: CommandRecord) -> Accepted:
    if record.payload_hash != request.payload_hash:
        raise ProblemError(
            422,
            "key-reused",
            "this Idempotency-Key stands for another command of the last 24 hours",
            field="Idempotency-Key",
        )
    return Accepted(record, event=None)
