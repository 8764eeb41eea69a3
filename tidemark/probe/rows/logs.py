"""CloudWatch Logs: when lines can be read, where they are, and what Lambda adds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tidemark.host.waiting import NotYetError
from tidemark.probe.names import unique_name
from tidemark.probe.observation import differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation

topic = Topic("function logs", makes=("functions", "log groups"))

_LOGGING = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html"
_GROUPS = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"


@topic.row(
    "log-delay",
    aws="What a function logs is readable with a delay, which can be 5 to 10 minutes.",
    documentation="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    within_s=20,
)
def log_delay(bench: Bench) -> Observation:
    """Invoke a function, and wait for its line."""
    function = bench.function()
    bench.clients.functions.invoke(FunctionName=function.name)
    ended = time.monotonic()
    bench.eventually(lambda: bench.invocations(function) or None, what="the line")
    return same("readable", f"after {time.monotonic() - ended:.1f} s")


@topic.row(
    "log-group",
    aws="A function with a log group of its own (LoggingConfig) logs there.",
    documentation=_GROUPS,
    within_s=15,
)
def log_group(bench: Bench) -> Observation:
    """Give a function a log group, and look where its line is."""
    logs = bench.clients.logs
    group = unique_name()
    bench.leftovers.owe(f"log group {group}", lambda: logs.delete_log_group(logGroupName=group))
    logs.create_log_group(logGroupName=group)
    function = bench.function(LoggingConfig={"LogFormat": "JSON", "LogGroup": group})
    bench.clients.functions.invoke(FunctionName=function.name)

    def probe() -> str | None:
        if logs.filter_log_events(logGroupName=group)["events"]:
            return "there"
        return "elsewhere" if bench.invocations(function) else None

    if bench.eventually(probe, what="the line") == "there":
        return same("there")
    return differs("ignored: the lines are in /aws/lambda/<name>")


@topic.row(
    "log-report",
    aws="Lambda logs START, END and a REPORT with duration and memory for every invocation.",
    documentation="https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html",
    within_s=15,
)
def log_report(bench: Bench) -> Observation:
    """Invoke a function, and look for Lambda's own lines."""
    function = bench.function()
    bench.clients.functions.invoke(FunctionName=function.name)
    wanted = ("START", "END", "REPORT")

    def probe() -> bool | None:
        lines = bench.log_lines(function)
        there = [word for word in wanted if any(line.startswith(word) for line in lines)]
        if len(there) == len(wanted):
            return True
        raise NotYetError(f"{', '.join(there) or 'none'} of {', '.join(wanted)}")

    bench.eventually(probe, what="Lambda's own lines")
    return same(", ".join(wanted))


@topic.row(
    "log-format-json",
    aws="With LogFormat JSON, Lambda's own lines are JSON: platform.start, platform.report.",
    documentation=_LOGGING,
    within_s=15,
)
def log_format_json(bench: Bench) -> Observation:
    """Invoke a function with LogFormat JSON, and look for Lambda's own lines."""
    function = bench.function(LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "INFO"})
    bench.clients.functions.invoke(FunctionName=function.name)

    def probe() -> bool | None:
        lines = bench.log_lines(function)
        if any("platform.report" in line for line in lines):
            return True
        is_text = any(line.startswith("REPORT") for line in lines)
        raise NotYetError("text, not JSON" if is_text else "no lines of Lambda's own")

    bench.eventually(probe, what="Lambda's own lines")
    return same("JSON")
