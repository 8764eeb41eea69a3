"""A workload of one's own as its history needs to know it: what it says, checked, as rows."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.api.call import Kind
from tidemark.api.op import Outcome, Purpose
from tidemark.host.sorting import SortedRows
from tidemark.workloads.calling import READ, Caller, command_of, event_id_of
from tidemark.workloads.canonical import canonical, digest_of
from tidemark.workloads.own import Event, View
from tidemark.workloads.own_checks import WorkloadError, expect, expected, naming, not_json
from tidemark.workloads.workload import Seen, Values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.api.op import Op
    from tidemark.workloads.own import OwnWorkload, State
    from tidemark.workloads.workload import Asking

_NOBODY = "-"
_NOT_THERE = 404
_BEFORE_EVENTS = 0


@dataclass(frozen=True)
class OwnHistory:
    """A workload of one's own, of one deployment.

    Attributes:
        own: What describes it.
    """

    own: OwnWorkload
    is_views_only: bool = True

    @property
    def name(self) -> str:
        """The name of its class."""
        return self._kind.__name__

    @property
    def claims(self) -> tuple[str, ...]:
        """What the class claims."""
        return self.own.claims

    @property
    def _kind(self) -> type[OwnWorkload]:
        return type(self.own)

    def effect(self, op: Op) -> Mapping[str, Any] | None:
        """What the event of a command must do; see `Workload.effect`.

        Raises:
            WorkloadError: `expects` raised, or said something that cannot be.
        """
        if op.kind is not Kind.COMMAND:
            return None
        return expected(self.own, command_of(op.call))

    def seen(self, op: Op) -> Seen | None:
        """What a read saw; see `Workload.seen`."""
        if op.call.route != READ or not (op.outcome is Outcome.OK or op.status == _NOT_THERE):
            return None
        row = {"aggregate": op.aggregate, "version": op.version or 0, "token": op.call.token}
        return Seen("account_reads", (row | _shown(op.state),))

    def sample(self, aggregate: str, version: int) -> None:
        """Nobody knows how to read both sides by one transaction; see `Workload.sample`."""

    def unprojected(self, prefix: str) -> int:
        """How many events the views do not show yet; see `Workload.unprojected`.

        Raises:
            WorkloadError: It cannot be exported.
        """
        shown = {aggregate: view.version for aggregate, view in self._views(prefix)}
        return sum(one.version > shown.get(one.aggregate, 0) for one in self._events(prefix))

    def export(self, prefix: str) -> Iterator[tuple[str, Values]]:
        """Both sides; see `Workload.export`.

        Raises:
            WorkloadError: It cannot be exported, or not folded.
        """
        with SortedRows() as both:
            for event in self._events(prefix):
                both.add(event.aggregate, event.version, event)
            for aggregate, view in self._views(prefix):
                both.add(aggregate, _BEFORE_EVENTS, view)
            for aggregate, rows in both.groups():
                yield from self._of(aggregate, rows)

    def ask(self, asking: Asking) -> None:
        """Read what the read side shows in the end; see `Workload.ask`.

        Raises:
            WorkloadError: `read` gave what it must not.
        """
        caller = Caller(
            workload=self.own, session=asking.session, sink=asking.sink, purpose=Purpose.FINAL
        )
        for aggregate, version in asking.accounts.items():
            try:
                caller.read(aggregate, token=version)
            except WorkloadError:
                raise
            except Exception:  # noqa: BLE001 -- the op says that it was not answered
                return

    def _events(self, prefix: str) -> Iterator[Event]:
        with naming(self._kind, "events"):
            for event in self.own.events(prefix):
                expect(self._kind, "events", event, Event)
                if event.aggregate.startswith(prefix):
                    yield event

    def _views(self, prefix: str) -> Iterator[tuple[str, View]]:
        with naming(self._kind, "views"):
            for pair in self.own.views(prefix):
                expect(self._kind, "views", pair, tuple)
                aggregate, view = pair
                expect(self._kind, "views", aggregate, str)
                expect(self._kind, "views", view, View)
                if aggregate.startswith(prefix):
                    yield aggregate, view

    def _of(self, aggregate: str, rows: Iterator[Event | View]) -> Iterator[tuple[str, Values]]:
        """An aggregate's view, which comes first, and its events in order, folded."""
        view: View | None = None
        state: State | None = None
        version, ids, at_ms = 0, set[str | None](), 0
        for one in rows:
            if isinstance(one, View):
                if view is not None:
                    raise WorkloadError(
                        f"{self.name}.views gave {aggregate} twice: it must give each aggregate "
                        "once."
                    )
                view = one
                continue
            version, ids = one.version, ids if one.version == version else set()
            if one.event_id in ids:
                raise WorkloadError(
                    f"{self.name}.events gave version {version} of {aggregate} twice: it must give "
                    "each event of the log once."
                )
            ids.add(one.event_id)
            state = self._fold(state, one)
            yield "events", _logged(one, state)
            if view is not None and version == view.version:
                at_ms = one.projected_at_ms or 0
        if view is not None:
            about = {"balance": None, "projected_at_ms": at_ms}
            row = {"aggregate": aggregate, "version": view.version}
            yield "accounts", row | _shown(view.state) | about

    def _fold(self, state: State | None, event: Event) -> State:
        """The state after an event: twice from equal arguments, and equal both times."""
        about = f"version {event.version} of {event.aggregate}"
        once, again = (self._fold_once(*copy.deepcopy((state, event)), about) for _ in range(2))
        if canonical(once) != canonical(again):
            raise WorkloadError(
                f"{self.name}.fold is not deterministic: of {about} it made {canonical(once)}, and "
                f"then {canonical(again)} of the same."
            )
        return once

    def _fold_once(self, state: State | None, event: Event, about: str) -> State:
        with naming(self._kind, "fold", about):
            folded = self.own.fold(state, event)
        if problem := not_json(folded):
            raise WorkloadError(f"{self.name}.fold of {about} gave {folded!r}: {problem}.")
        return folded


def _logged(event: Event, state: State) -> Values:
    """An event as a row, with the digest of the state that it makes."""
    effect, recorded = canonical(event.data), event.recorded_at_ms
    return {
        "aggregate": event.aggregate,
        "version": event.version,
        "event_id": event_id_of(event.aggregate, event.version, event.event_id),
        "principal": _NOBODY,
        "key": event.key,
        "effect": effect,
        "effect_digest": digest_of(effect),
        "state_digest": digest_of(canonical(state)),
        "line_digest": 0,
        "owner": None,
        "amount": None,
        "status": None,
        "recorded_at_ms": recorded or 0,
        "projected_at_ms": None if recorded is None else event.projected_at_ms,
        "in_outbox": False,
    }


def _shown(state: State | None) -> Values:
    if state is None:
        return {"state": None, "digest": None}
    text = canonical(state)
    return {"state": text, "digest": digest_of(text)}
