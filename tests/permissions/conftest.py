"""The template of each wiring as the verb synthesises it, and the committed call log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tidemark.cli import choices
from tidemark.deploy.synthesis import App, synthesise
from tidemark.host.processes import Children
from tidemark.host.state import find_checkout
from tidemark.permissions.call_log import PATH, CallLog
from tidemark.permissions.proof import prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.permissions.changes import Content
    from tidemark.permissions.call_log import Call

    Calls = frozenset[Call]
    Notice = Callable[[Iterable[tuple[str, Content]]], int]

WIRINGS = ("queued", "direct")


@pytest.fixture(scope="session", params=WIRINGS)
def wiring(request: pytest.FixtureRequest) -> str:
    """Each wiring in turn."""
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="session")
def template(wiring: str, tmp_path_factory: pytest.TempPathFactory) -> Content:
    """The synthesised template; whoever changes it makes a copy."""
    checkout = find_checkout()
    assert checkout is not None
    app = App(checkout, "Tidemark", choices.keep({}, {"wiring": wiring}))
    log = tmp_path_factory.mktemp("synth") / f"{wiring}.log"
    content: dict[str, Any] = dict(synthesise(app, Children(), log).stacks[0].template)
    return content


@pytest.fixture(scope="session")
def calls(wiring: str) -> Calls:
    """What the functions were seen to call in the wiring."""
    checkout = find_checkout()
    assert checkout is not None
    return CallLog.read(checkout / PATH).calls[wiring]


@pytest.fixture
def noticed(subtests: pytest.Subtests, calls: Calls) -> Notice:
    """Sees that each of some changes turns the check red; returns how many there were."""

    def each(changed: Iterable[tuple[str, Content]]) -> int:
        count = 0
        for what, content in changed:
            with subtests.test(what):
                assert not prove(content, calls).holds
            count += 1
        return count

    return each
