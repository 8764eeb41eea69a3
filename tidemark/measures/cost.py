"""What a load run costs on AWS: the only price table, and an estimate from calls.

Prices are the public on-demand list prices of us-east-1 in US dollars, without free tiers, taxes
and volume discounts. What each was compared with, on 2026-11-27, and no bill with any:

- API Gateway: REST, first 333 million; AWS's whitepaper on private APIs, "Cost optimization".
- Lambda: x86, first tier; AWS's whitepaper "How AWS Pricing Works", and its page of Lambda prices.
- DynamoDB: https://aws.amazon.com/dynamodb/pricing/on-demand/ for the units (1 KB a write, 4 KB a
  read, two for each in a transaction), which draws its prices by script; those of Standard tables
  since they were halved on 2024-11-01 as airbyte.com quotes them (2025-07-21).
- SQS and SNS, standard: cloudburn.io (March 2026) and factualminds.com (2026-06-13), which quote
  AWS. What a topic delivers to a queue or a function costs nothing.
- CloudWatch Logs, Standard: cloudburn.io (February 2026). Functions' logs have had tiers since
  2025-05-01, of which the first costs the same.
- Fargate, Linux on x86: a vCPU-second as in AWS's example on https://aws.amazon.com/ecs/pricing/
  (2026-09-20); its memory with nothing. Public IPv4 addresses: 3.65 a month, since 2024-02-01.
- X-Ray: with nothing; https://aws.amazon.com/xray/pricing/ is where to look.

Another region costs another price, most of them up to half as much again.

What a call uses follows from the stack, and where it depends on the run, it errs upwards. Not
counted is what costs without a load run, too: storage, alarms, the dashboard, custom metrics. Nor
are answers on their way out of AWS, of which 100 GB a month are free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MILLION = 1_000_000
_SECONDS_PER_HOUR = 3600

PRICES: Mapping[str, float] = {
    "API Gateway request": 3.50 / MILLION,
    "Lambda request": 0.20 / MILLION,
    "Lambda GB-s": 0.0000166667,
    "DynamoDB write unit": 0.625 / MILLION,
    "DynamoDB read unit": 0.125 / MILLION,
    "SNS publish": 0.50 / MILLION,
    "SQS request": 0.40 / MILLION,
    "CloudWatch Logs GB": 0.50,
    "X-Ray trace": 5.00 / MILLION,
    "Fargate vCPU-s": 0.04048 / _SECONDS_PER_HOUR,
    "Fargate GB-s": 0.004445 / _SECONDS_PER_HOUR,
    "IPv4 address-s": 0.005 / _SECONDS_PER_HOUR,
}
"""US dollars for one of each."""

# A unit writes 1 KB, and a transaction costs twice: the event, the head and the command record, and
# the event's entry in the outbox index.
_WRITE_UNITS_STORED = 2 * 3 + 1
# The account, the statement line, the totals and the event, an entry in the index by owner, and the
# one that leaves the outbox index.
_WRITE_UNITS_PROJECTED = 2 * 4 + 2
# A transaction that is cancelled costs what its items would have, but nothing of an index.
_WRITE_UNITS_CANCELLED_STORING = 2 * 3
_WRITE_UNITS_CANCELLED_PROJECTING = 2 * 4

_MEMORY_GB = 0.5  # of each function, as the stack has it
# Rather long: what a warm function would need there, and a share of cold starts.
_COMMAND_S = 0.1
_EVENT_S = 0.1
_QUERY_S = 0.05
# A line of ours, three of the platform and a metric; and one of the gateway.
_LOGGED_GB_PER_INVOCATION = 2.5e-6
_LOGGED_GB_PER_REQUEST = 0.7e-6
_TRACED = 0.05  # what X-Ray samples by default, beyond one a second
_SQS_REQUESTS = {"queued": 3, "direct": 0}  # sent, received, deleted: as if each came alone


@dataclass(frozen=True, kw_only=True)
class Calls:
    """What a run asks of the system.

    Attributes:
        commands: How many commands are accepted.
        refused: How many are refused; they are read for, and not written.
        queries: How many reads there are.
        tries: How many transactions a command takes, those that are cancelled included.
        projection_tries: The same for an event's projection.
        wiring: How events reach the read side: `queued` or `direct`.
    """

    commands: float
    refused: float = 0
    queries: float = 0
    tries: float = 1
    projection_tries: float = 1
    wiring: str = "queued"


@dataclass(frozen=True)
class Line:
    """A line of an estimate.

    Attributes:
        name: What is paid for, one of `PRICES`.
        units: How much of it.
    """

    name: str
    units: float

    @property
    def usd(self) -> float:
        """What it costs."""
        return self.units * PRICES[self.name]


@dataclass(frozen=True)
class Estimate:
    """What something costs.

    Attributes:
        lines: What it consists of.
    """

    lines: Sequence[Line]

    @property
    def usd(self) -> float:
        """What it costs in all."""
        return sum(line.usd for line in self.lines)


def price(calls: Calls) -> Estimate:
    """Estimate what calls cost.

    Args:
        calls: What is asked of the system.

    Raises:
        KeyError: If there is no such wiring.
    """
    requests = calls.commands + calls.refused + calls.queries
    invocations = requests + calls.commands
    again = calls.commands * (calls.tries - 1)
    projected_again = calls.commands * (calls.projection_tries - 1)
    seconds = (
        (calls.commands + calls.refused) * _COMMAND_S
        + calls.commands * _EVENT_S
        + calls.queries * _QUERY_S
    )
    return Estimate(
        [
            Line("API Gateway request", requests),
            Line("Lambda request", invocations),
            Line("Lambda GB-s", seconds * _MEMORY_GB),
            Line(
                "DynamoDB write unit",
                calls.commands * (_WRITE_UNITS_STORED + _WRITE_UNITS_PROJECTED)
                + again * _WRITE_UNITS_CANCELLED_STORING
                + projected_again * _WRITE_UNITS_CANCELLED_PROJECTING,
            ),
            # The head, consistently; before a refusal the command record; a query's is half of one.
            Line(
                "DynamoDB read unit",
                calls.commands + again + 2 * calls.refused + calls.queries / 2,
            ),
            Line("SNS publish", calls.commands),
            Line("SQS request", calls.commands * _SQS_REQUESTS[calls.wiring]),
            Line(
                "CloudWatch Logs GB",
                invocations * _LOGGED_GB_PER_INVOCATION + requests * _LOGGED_GB_PER_REQUEST,
            ),
            Line("X-Ray trace", requests * _TRACED),
        ]
    )


def price_of_tasks(*, tasks: int, vcpus: float, memory_gb: float, seconds: float) -> Estimate:
    """Estimate what a load run's own machines cost: on-demand Fargate, with public addresses.

    Args:
        tasks: How many there are.
        vcpus: The processors of each.
        memory_gb: The memory of each.
        seconds: How long they run, the pull of the image included.
    """
    whole = tasks * seconds
    return Estimate(
        [
            Line("Fargate vCPU-s", whole * vcpus),
            Line("Fargate GB-s", whole * memory_gb),
            Line("IPv4 address-s", whole),
        ]
    )
