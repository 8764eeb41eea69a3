"""What is commanded is seen in the tracking view, in the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.calling import Caller

    Eventually = Callable[..., Any]


def test_a_scan_is_seen_in_the_tracking_view(
    tidemark_caller: Caller, parcel: str, eventually: Eventually
) -> None:
    assert tidemark_caller.command("register", parcel, {"place": "Oslo"}).version == 1
    assert tidemark_caller.command("scan", parcel, {"place": "Bergen"}).version == 2

    def both_places_are_seen() -> None:
        read = tidemark_caller.read(parcel)
        assert read.state == {"state": "Scanned", "places": ["Oslo", "Bergen"]}

    eventually(both_places_are_seen)


def test_a_delivered_parcel_takes_no_scan(tidemark_caller: Caller, parcel: str) -> None:
    tidemark_caller.command("register", parcel, {"place": "Oslo"})
    tidemark_caller.command("deliver", parcel, {"place": "Bergen"})

    refused = tidemark_caller.command("scan", parcel, {"place": "Tromsø"})

    assert (refused.outcome, refused.detail) == ("fail", "this parcel is delivered")


def test_a_parcel_that_nobody_registered_is_unknown(tidemark_caller: Caller, parcel: str) -> None:
    refused = tidemark_caller.command("scan", parcel, {"place": "Oslo"})

    assert refused.detail == "there is no such parcel"
    assert tidemark_caller.read(parcel).version is None


def test_a_copy_of_an_event_holds_nothing_up(
    tidemark_caller: Caller,
    deployment: Deployment,
    aws: AwsClients,
    parcel: str,
    eventually: Eventually,
) -> None:
    """That it counts once is not asked here: the verdict on the session says so."""
    tidemark_caller.command("register", parcel, {"place": "Oslo"})
    copy = {"parcel": parcel, "version": "000001", "type": "Registered", "place": "Oslo"}
    aws.sns.publish(TopicArn=deployment.outputs["ScanTopicArn"], Message=json.dumps(copy))
    tidemark_caller.command("scan", parcel, {"place": "Bergen"})

    def the_scan_is_seen() -> None:
        assert tidemark_caller.read(parcel).version == 2

    eventually(the_scan_is_seen)


@pytest.mark.parametrize("output", ["LostQueueName", "TrackerFunction"])
def test_the_stack_has_outputs_of_its_own(deployment: Deployment, output: str) -> None:
    assert deployment.outputs[output]
    assert deployment.api_url == ""
