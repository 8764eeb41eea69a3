"""What a cold start costs: `python -m tools.bench.cold`, on the stack that is up.

Each function that callers wait for is invoked cold and warm in turn, with a request that it
refuses, so that nothing is left behind. A changed variable makes it cold: no process outlives a
change of its configuration. The variables are put back.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tidemark.cli import known
from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_lambda import LambdaClient

_TIMES = 10
_UPDATED_WITHIN_S = 60.0
_NOBODY = {"account_id": "bench-nobody"}
_EVENTS: Mapping[str, Mapping[str, Any]] = {
    "CommandHandlerName": {
        "httpMethod": "POST",
        "resource": "/accounts/{account_id}/deposits",
        "pathParameters": _NOBODY,
        "headers": {"Idempotency-Key": "bench-cold"},
        "body": '{"amount": 1}',
    },
    "QueryHandlerName": {
        "httpMethod": "GET",
        "resource": "/accounts/{account_id}",
        "pathParameters": _NOBODY,
    },
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the medians of each function."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.cold", description=__doc__)
    parser.add_argument(
        "--times", type=int, default=_TIMES, help=f"cold starts, {_TIMES} if unsaid"
    )
    parser.add_argument("--target", help="the target, when deployments on several are known")
    parser.add_argument("--stack-name", help="the stack, when several are known")
    chosen = parser.parse_args(arguments)
    try:
        deployment, clients = known.reach(chosen.target, chosen.stack_name)
    except TidemarkError as refused:
        raise SystemExit(str(refused)) from None
    for output, event in _EVENTS.items():
        cold, warm = _measured(clients.functions, deployment.outputs[output], event, chosen.times)
        print(  # noqa: T201  its answer
            f"{output.removesuffix('Name')}: cold {statistics.median(cold):.0f} ms, "
            f"warm {statistics.median(warm):.1f} ms "
            f"(medians of {chosen.times} on {deployment.target})"
        )


def _measured(
    functions: LambdaClient, name: str, event: Mapping[str, Any], times: int
) -> tuple[list[float], list[float]]:
    """Return how long cold and warm invocations of a function took, in milliseconds."""
    cold: list[float] = []
    warm: list[float] = []
    with _variables_put_back(functions, name) as variables:
        for count in range(times):
            _configure(functions, name, {**variables, "COLD_START": str(count)})
            cold.append(_invoked_ms(functions, name, event))
            warm.append(_invoked_ms(functions, name, event))
    return cold, warm


def _invoked_ms(functions: LambdaClient, name: str, event: Mapping[str, Any]) -> float:
    begin = time.perf_counter()
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    body = json.loads(answer["Payload"].read())
    took_ms = (time.perf_counter() - begin) * 1000
    if body.get("statusCode") != 404:
        raise SystemExit(f"{name} answered {body} where a 404 is measured.")
    return took_ms


@contextmanager
def _variables_put_back(functions: LambdaClient, name: str) -> Iterator[Mapping[str, str]]:
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    try:
        yield variables
    finally:
        _configure(functions, name, variables)


def _configure(functions: LambdaClient, name: str, variables: Mapping[str, str]) -> None:
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def probe() -> bool:
        status = functions.get_function_configuration(FunctionName=name).get("LastUpdateStatus")
        if status != "Successful":
            raise NotYetError(f"LastUpdateStatus {status}")
        return True

    eventually(probe, within_s=_UPDATED_WITHIN_S, what=f"{name} to be updated")


if __name__ == "__main__":
    main()
