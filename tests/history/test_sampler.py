"""A sampler ends with its run, whatever the target does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import EndpointConnectionError
from msgspec import structs

from tests.measures.ops import op
from tidemark.history import sampler
from tidemark.history.sampler import Sampler

if TYPE_CHECKING:
    import pytest

WITHIN_S = 30.0
ACCEPTED = structs.replace(op(), aggregate="a", version=1, event_id="e1")


@dataclass
class Gone:
    """A workload of a target that is gone, which each sample sees when it is told to."""

    samples: int = 0
    asked: threading.Event = field(default_factory=threading.Event)
    told: threading.Event = field(default_factory=threading.Event)

    def sample(self, _: str, __: int) -> None:
        self.samples += 1
        self.asked.set()
        assert self.told.wait(WITHIN_S)
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")


def asking(gone: Gone) -> Sampler:
    """A sampler that waits for its first sample."""
    nobody: Any = None
    workload: Any = gone
    sampling = Sampler(nobody, workload)
    sampling.take(ACCEPTED)
    assert gone.asked.wait(WITHIN_S)
    return sampling


def test_samples_that_are_owed_end_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "_AGAIN_AFTER_S", 0.0)
    gone = Gone()
    sampling = asking(gone)

    closing = threading.Thread(target=sampling.close)
    closing.start()
    assert sampling._is_over.wait(WITHIN_S)
    gone.told.set()
    closing.join(WITHIN_S)

    assert gone.samples == 1


def test_a_sample_that_is_not_answered_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "_CLOSES_WITHIN_S", 0.0)
    gone = Gone()
    sampling = asking(gone)

    sampling.close()

    assert not gone.told.is_set()
    gone.told.set()


def test_an_event_is_sampled_as_soon_as_it_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "EVERY_S", 10 * WITHIN_S)
    gone = Gone()
    gone.told.set()

    asking(gone).close()

    assert gone.samples == 1
