"""The users: callers of a plan, or a bank's customers who only write, only read, or do both."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, ClassVar

from locust import User, task
from locust.exception import StopUser

from loadtest.alarm import punctual_sleep
from loadtest.transport import LocustTransport
from tidemark.workloads.bank_arrivals import Known
from tidemark.workloads.bank_traffic import READS, REFUSALS, WRITES, mixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locust.env import Environment

    from loadtest.run import LoadRun
    from tidemark.load.schedule import Schedule

_PAUSE_WITHOUT_ANSWER_S = 1.0
_SHORT_S = 0.05


class BankUser(User):
    """One session: it sends what is due of the run's schedule.

    Where a run has none, its loop is closed: the next call begins when the last one has ended.
    """

    abstract = True
    load_run: ClassVar[LoadRun]
    operations: ClassVar[Mapping[str, float]]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        transport = LocustTransport(environment.events.request, REFUSALS, self._tls)
        self._customer, self._client = self.load_run.new_customer(transport, self.mix())
        self._is_answered = True

    def mix(self) -> Mapping[str, float]:
        """Return the weight of each operation."""
        return self.operations

    def wait_time(self) -> float:
        """Go on at once, but leave a target that does not answer some time."""
        return 0.0 if self._is_answered else _PAUSE_WITHOUT_ANSWER_S

    @task
    def call(self) -> None:
        """Make the customer's next call, or all that are due until the schedule ends."""
        if (schedule := self.load_run.schedule) is not None:
            self._keep_to(schedule)
            raise StopUser
        op = self._client.run(self._customer.next())
        self._customer.learn(op)
        self._is_answered = op.status is not None

    def _keep_to(self, schedule: Schedule) -> None:
        client, ended, known = self._client, self.load_run.ended, Known(self._customer.place)
        sleep = punctual_sleep()
        while (due := schedule.take()) is not None:
            while (early_s := (due.intended_ns - client.clock()) / 1e9) > 0 and not ended.is_set():
                # To sleep costs a tenth of what it does to wait for an event.
                if early_s < _SHORT_S:
                    sleep(early_s)
                else:
                    ended.wait(early_s - _SHORT_S / 2)
            # Locust would kill who waits, and a call that begins in this moment with it.
            if ended.is_set():
                return
            op = client.run(known.asked(due.call), intended_ns=due.intended_ns)
            known.learn(op)

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.load_run.clients.connection.ca_bundle)


class WriteUser(BankUser):
    """Opens accounts, deposits, withdraws."""

    operations = WRITES


class ReadUser(BankUser):
    """Reads accounts, statements and totals; of its own accounts, it opens one first."""

    operations = READS


class MixedUser(BankUser):
    """Does both, by `--read-share`."""

    operations: ClassVar[Mapping[str, float]] = {**WRITES, **READS}

    def mix(self) -> Mapping[str, float]:
        """Return the weights of reads and writes."""
        return mixed(self.load_run.read_share)
