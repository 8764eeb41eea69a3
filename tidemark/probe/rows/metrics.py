"""CloudWatch: metrics, where they come from, and alarms on them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tidemark.aws.metrics import read
from tidemark.host.waiting import NotYetError
from tidemark.probe.names import unique_name
from tidemark.probe.observation import NotSeenInTimeError, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.probe.bench import Bench
    from tidemark.probe.functions import Function
    from tidemark.probe.observation import Observation

topic = Topic(
    "CloudWatch metrics and alarms", makes=("functions", "queues", "topics", "alarms", "metrics")
)

_FUNCTION_METRICS = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
_EMF = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"
_ALARM = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
_PERCENTILE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html"
_WANTED = ("Invocations", "Errors", "Duration", "Throttles")
_METRIC = "Probed"
_PERIOD_S = 10
_ALARM_WITHIN_S = 30


def _datapoints(
    bench: Bench, namespace: str, name: str, dimensions: Sequence[Any] = ()
) -> list[Any]:
    now = datetime.now(UTC)
    found = bench.clients.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=list(dimensions),
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return list(found["Datapoints"])


def _all_metrics(bench: Bench, function: Function) -> Observation:
    dimensions = [{"Name": "FunctionName", "Value": function.name}]

    def probe() -> bool | None:
        there = [name for name in _WANTED if _datapoints(bench, "AWS/Lambda", name, dimensions)]
        if len(there) == len(_WANTED):
            return True
        raise NotYetError(
            f"{', '.join(there) or 'none'}; not {', '.join(n for n in _WANTED if n not in there)}"
        )

    bench.eventually(probe, what="the metrics")
    return same(", ".join(_WANTED))


@topic.row(
    "function-metrics",
    aws=f"A function that is invoked has the metrics {', '.join(_WANTED)} in AWS/Lambda.",
    documentation=_FUNCTION_METRICS,
    within_s=15,
)
def function_metrics(bench: Bench) -> Observation:
    """Invoke a function, and look for its metrics."""
    function = bench.function()
    bench.clients.functions.invoke(FunctionName=function.name)
    return _all_metrics(bench, function)


@topic.row(
    "function-metrics-by-queue",
    aws="The same when a queue invokes it.",
    documentation=_FUNCTION_METRICS,
    within_s=20,
)
def function_metrics_by_queue(bench: Bench) -> Observation:
    """Let a queue invoke a function, and look for its metrics."""
    queue = bench.queue(VisibilityTimeout="10")
    function = bench.function()
    bench.mapping(function, queue)
    bench.clients.sqs.send_message(QueueUrl=queue.url, MessageBody="good")
    bench.eventually(lambda: bench.invocations(function) or None, what="the function to be invoked")
    return _all_metrics(bench, function)


@topic.row(
    "emf-extraction",
    aws="A log line in the embedded metric format becomes a metric.",
    documentation=_EMF,
    within_s=15,
)
def emf_extraction(bench: Bench) -> Observation:
    """Log a metric, and look for it in CloudWatch; then read it from the log."""
    namespace = unique_name()
    line = {
        "_aws": {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [["stack"]],
                    "Metrics": [{"Name": _METRIC, "Unit": "Count"}],
                }
            ],
        },
        "stack": "probe",
        _METRIC: 42,
    }
    function = bench.function(extra_line=json.dumps(line))
    bench.clients.functions.invoke(FunctionName=function.name)
    dimensions = [{"Name": "stack", "Value": "probe"}]
    try:
        bench.eventually(
            lambda: _datapoints(bench, namespace, _METRIC, dimensions) or None,
            what="the metric",
        )
    except NotSeenInTimeError:
        logged = list(read(bench.log_lines(function)))
        is_logged = [(one.namespace, one.value) for one in logged] == [(namespace, 42.0)]
        raise NotSeenInTimeError(
            "no metric; `tidemark metrics` reads such lines from the functions' logs"
            if is_logged
            else "no metric, and the log line is lost too"
        ) from None
    return same("extracted")


@topic.row(
    "alarm",
    aws="An alarm goes to ALARM when its metric crosses the threshold, and tells its topic.",
    documentation=_ALARM,
    within_s=_ALARM_WITHIN_S,
)
def alarm(bench: Bench) -> Observation:
    """Put a metric above the threshold of an alarm on its maximum."""
    return _goes_off(bench, Statistic="Maximum")


@topic.row(
    "alarm-on-a-percentile",
    aws="The same with a percentile, such as p99.",
    documentation=_PERCENTILE,
    within_s=_ALARM_WITHIN_S,
)
def alarm_on_a_percentile(bench: Bench) -> Observation:
    """Put a metric above the threshold of an alarm on its 99th percentile."""
    return _goes_off(bench, ExtendedStatistic="p99")


def _goes_off(bench: Bench, **statistic: str) -> Observation:
    cloudwatch = bench.clients.client("cloudwatch")
    name = unique_name()
    queue, topic_arn = bench.queue(), bench.topic()
    bench.let_send(queue, "sns.amazonaws.com", topic_arn)
    bench.clients.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue.arn)
    bench.leftovers.owe(f"alarm {name}", lambda: cloudwatch.delete_alarms(AlarmNames=[name]))
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmActions=[topic_arn],
        Namespace=name,
        MetricName=_METRIC,
        Period=_PERIOD_S,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        **statistic,
    )
    started = time.monotonic()

    def goes_off() -> bool:
        cloudwatch.put_metric_data(
            Namespace=name, MetricData=[{"MetricName": _METRIC, "Value": 5, "StorageResolution": 1}]
        )
        [found] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return bool(found["StateValue"] == "ALARM")

    bench.until(goes_off, what="the alarm", else_seen="the alarm does not go off")
    took = f"after {time.monotonic() - started:.0f} s"
    bench.until(
        lambda: bench.receive(queue),
        what="the topic to be told",
        else_seen="ALARM; its topic is not told",
    )
    return same("ALARM, and its topic is told", took)
