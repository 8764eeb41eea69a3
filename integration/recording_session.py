"""A pytest plugin that writes what a whole session called, once all its tests have passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.every_call import make_every_call
from integration.recording import calls_of
from tidemark.host.state import find_checkout
from tidemark.permissions.call_log import PATH, CallLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.site import Site


@pytest.fixture(scope="session", autouse=True)
def recorded_session(request: pytest.FixtureRequest, site: Site, direct: Site) -> Iterator[None]:
    """Write what both stacks were seen to call, before they are removed."""
    yield
    if not request.session.testsfailed:
        checkout = find_checkout(request.config.rootpath)
        assert checkout is not None, "the stacks were deployed from it"
        for one in (site, direct):
            make_every_call(one)  # the tests do not do everything in each wiring
        both = {one.deployment.wiring: calls_of(one) for one in (site, direct)}
        CallLog(both).write(checkout / PATH)
