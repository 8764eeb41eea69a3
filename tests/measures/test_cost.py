"""What a run costs, by the list prices."""

import pytest

from tidemark.measures.cost import MILLION, PRICES, Calls, price, price_of_tasks


def units(calls: Calls) -> dict[str, float]:
    return {line.name: line.units for line in price(calls).lines}


def test_an_accepted_command_costs_17_write_units_and_one_read_unit() -> None:
    used = units(Calls(commands=1))
    assert (used["DynamoDB write unit"], used["DynamoDB read unit"]) == (17, 1)


def test_a_cancelled_transaction_costs_its_items_twice_and_another_read() -> None:
    used = units(Calls(commands=10, tries=1.5, projection_tries=2))
    assert used["DynamoDB write unit"] == 10 * 17 + 5 * 6 + 10 * 8
    assert used["DynamoDB read unit"] == 15


def test_a_refused_command_is_read_for_and_writes_and_publishes_nothing() -> None:
    used = units(Calls(commands=0, refused=1))
    assert used["DynamoDB read unit"] == 2
    assert used["API Gateway request"] == used["Lambda request"] == 1
    assert used["DynamoDB write unit"] == used["SNS publish"] == used["SQS request"] == 0


def test_a_read_is_one_request_and_half_a_read_unit() -> None:
    used = units(Calls(commands=0, queries=4))
    assert used["API Gateway request"] == used["Lambda request"] == 4
    assert used["DynamoDB read unit"] == 2


def test_the_direct_wiring_saves_the_queue_and_nothing_else() -> None:
    queued, direct = (price(Calls(commands=MILLION, wiring=one)) for one in ("queued", "direct"))
    assert queued.usd - direct.usd == pytest.approx(3 * 0.40)


def test_the_whole_is_the_sum_of_what_each_service_costs() -> None:
    estimate = price(Calls(commands=MILLION))
    assert estimate.usd == pytest.approx(
        3.50 + 2 * 0.20 + 0.1 * MILLION * 0.0000166667 + 17 * 0.625 + 0.125 + 0.50 + 3 * 0.40
        + 5.7 * 0.50 + 0.05 * 5.00
    )  # fmt: skip


def test_a_million_commands_cost_what_so_few_cost_many_times() -> None:
    few, many = (price(Calls(commands=n, queries=4 * n)) for n in (10, MILLION))
    assert few.usd * MILLION / 10 == pytest.approx(many.usd)


def test_tasks_cost_by_the_second() -> None:
    hour = price_of_tasks(tasks=2, vcpus=1, memory_gb=2, seconds=3600)
    assert hour.usd == pytest.approx(2 * (0.04048 + 2 * 0.004445 + 0.005))


def test_every_price_is_positive() -> None:
    assert all(usd > 0 for usd in PRICES.values())
