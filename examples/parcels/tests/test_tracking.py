"""What is commanded is seen in the tracking view, in the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Depot

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

    Eventually = Callable[..., Any]


def test_a_scan_is_seen_in_the_tracking_view(
    depot: Depot, parcel: str, eventually: Eventually
) -> None:
    assert depot.command("register", parcel, "Oslo") == {"version": 1}
    assert depot.command("scan", parcel, "Bergen") == {"version": 2}

    def both_places_are_seen() -> None:
        assert depot.tracking(parcel) == {"state": "Scanned", "places": ["Oslo", "Bergen"]}

    eventually(both_places_are_seen)


def test_a_delivered_parcel_takes_no_scan(depot: Depot, parcel: str) -> None:
    depot.command("register", parcel, "Oslo")
    depot.command("deliver", parcel, "Bergen")

    assert depot.command("scan", parcel, "Tromsø") == {"refused": "this parcel is delivered"}


def test_a_parcel_that_nobody_registered_is_unknown(depot: Depot, parcel: str) -> None:
    assert depot.command("scan", parcel, "Oslo") == {"refused": "there is no such parcel"}
    assert depot.tracking(parcel) == {"state": "Unknown", "places": []}


def test_what_the_queue_delivers_twice_is_one_entry(
    depot: Depot, deployment: Deployment, aws: AwsClients, parcel: str, eventually: Eventually
) -> None:
    depot.command("register", parcel, "Oslo")
    again = {"parcel": parcel, "version": "000001", "type": "Registered", "place": "Oslo"}
    last = {"parcel": parcel, "version": "000002", "type": "Scanned", "place": "Bergen"}

    for event in (again, again, last):
        aws.sns.publish(TopicArn=deployment.outputs["ScanTopicArn"], Message=json.dumps(event))

    def both_places() -> list[str] | None:
        # In whichever order the queue delivers.
        places: list[str] = depot.tracking(parcel)["places"]
        return places if {"Oslo", "Bergen"} <= {*places} else None

    assert eventually(both_places, within_s=60) == ["Oslo", "Bergen"]


@pytest.mark.parametrize("output", ["LostQueueName", "TrackerFunction"])
def test_the_stack_has_outputs_of_its_own(deployment: Deployment, output: str) -> None:
    assert deployment.outputs[output]
    assert deployment.api_url == ""
