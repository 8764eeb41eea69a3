"""What the functions call is what the committed recording says, neither more nor less."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.every_call import make_every_call
from integration.recording import APP, calls_of
from integration.site import site_of
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import variables
from tidemark.host.waiting import NotYetError, eventually
from tidemark.permissions.call_log import PATH, CallLog
from tidemark.testing.testbed import Testbed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.site import Site
    from tidemark.host.deployment import Deployment
    from tidemark.permissions.call_log import Call

_LOGGED_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def recording_bed(testbed: Testbed, deployment: Deployment) -> Iterator[Testbed]:
    """Stacks beside the session's, whose functions log every AWS call."""
    plan = replace(testbed.plan, command=("python", "-m", APP), contexts={}, keep=False)
    if deployment.endpoint is not None:
        plan = replace(plan, target="endpoint", endpoint_url=deployment.endpoint)
    with pytest.MonkeyPatch.context() as patch:
        # As `tidemark env` prints them for who has the endpoint alone.
        for name, value in variables(testbed.connection).items():
            patch.setenv(name, value)
        bed = Testbed(plan, testbed.state / "recording", testbed.steps, testbed.runs)
        yield bed
        bed.remove()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("wiring", ["queued", "direct"])
def test_the_functions_call_what_was_recorded(recording_bed: Testbed, wiring: str) -> None:
    expected = CallLog.read(recording_bed.plan.checkout / PATH).calls[wiring]
    deployed = recording_bed.deploy(wiring=wiring).deployment
    with site_of(recording_bed, deployed, AwsClients(recording_bed.connection)) as site:
        make_every_call(site)

        assert seen(site, expected) == expected


def seen(site: Site, expected: frozenset[Call]) -> frozenset[Call]:
    """What the functions called, once all that is expected was logged."""

    def probe() -> frozenset[Call]:
        calls = calls_of(site)
        if missing := expected - calls:
            raise NotYetError(f"missing {sorted(missing)}")
        return calls

    return eventually(probe, within_s=_LOGGED_WITHIN_S, what="every recorded call to be seen")
