"""A target that is gone is asked once, and nothing is tried again."""

import pytest

from tests.workloads.shelves import CLIENTS
from tidemark.errors import TidemarkError
from tidemark.load.answering import see_that_it_answers


def test_a_target_that_is_gone_is_said_to_be() -> None:
    with pytest.raises(TidemarkError, match=r"the target no longer answers \(Could not connect"):
        see_that_it_answers(CLIENTS)
