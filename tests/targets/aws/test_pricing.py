"""The estimate of what an idle stack costs."""

from __future__ import annotations

from datetime import date

import pytest

from tidemark.deploy import pricing
from tidemark.deploy.pricing import PRICES, idle_month

SWEEPER = {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 512}}
SCHEDULE = {
    "Type": "AWS::Events::Rule",
    "Properties": {
        "ScheduleExpression": "rate(1 minute)",
        "Targets": [{"Arn": {"Fn::GetAtt": ["Sweeper", "Arn"]}}],
    },
}


def cost(resources: dict[str, object]) -> dict[str, float]:
    return {item.what: round(item.usd, 4) for item in idle_month({"Resources": resources})}


def test_tables_without_traffic_and_backups_of_nothing_cost_nothing() -> None:
    assert set(cost({"T": {"Type": "AWS::DynamoDB::Table"}}).values()) == {0.0}


def test_an_alarm_costs_as_many_metrics_as_it_watches() -> None:
    simple = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}
    ratio = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {"Metrics": [{"Expression": "a/b"}, {"MetricStat": {}}, {"MetricStat": {}}]},
    }

    assert cost({"A": simple, "B": ratio})["2 alarm(s)"] == 0.3


def test_the_sweeper_is_paid_for_by_the_minute_and_its_memory() -> None:
    costs = cost({"Sweeper": SWEEPER, "Schedule": SCHEDULE})

    assert costs["3 metrics of the outbox"] == 0.9
    assert costs["traces of 43,800 sweeps"] == 0.219
    seconds = 43_800 * 0.2 * 0.5 * 0.0000166667
    assert costs["43,800 sweeps: invocations and duration"] == pytest.approx(
        43_800 * 0.2e-6 + seconds, abs=1e-4
    )
    rarer = SCHEDULE["Properties"] | {"ScheduleExpression": "rate(10 minutes)"}  # type: ignore[operator]  # a dict
    assert "4,380 sweeps: invocations and duration" in cost(
        {"Sweeper": SWEEPER, "Schedule": SCHEDULE | {"Properties": rarer}}
    )


def test_a_mapping_polls_its_queue_all_month() -> None:
    costs = cost({"M": {"Type": "AWS::Lambda::EventSourceMapping"}})

    assert costs["polling of the queue"] == pytest.approx(657_000 * 0.4e-6, abs=1e-4)


def test_the_dearest_comes_first() -> None:
    items = idle_month(
        {
            "Resources": {
                "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
                "D": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {}},
            }
        }
    )

    assert [item.what for item in items[:2]] == ["1 dashboard(s)", "1 alarm(s)"]


def test_every_price_has_a_source_and_the_table_a_date() -> None:
    assert all(price.source.startswith("https://") for price in PRICES.values())
    assert all(price.usd > 0 and price.unit for price in PRICES.values())
    assert date.fromisoformat(pricing.PRICED_ON).year >= 2026
