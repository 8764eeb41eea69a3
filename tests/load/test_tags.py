from __future__ import annotations

from argparse import Namespace

import pytest

from loadtest import tags
from tidemark.errors import NotStartedError


def said(wanted: list[str] | None = None, unwanted: list[str] | None = None) -> Namespace:
    return Namespace(tags=wanted, exclude_tags=unwanted)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (said(), {"open", "deposit", "withdraw", "account", "statement", "totals"}),
        (said(["write"]), {"open", "deposit", "withdraw"}),
        (said(["read"], ["statement"]), {"account", "totals"}),
        (said(["deposit", "read"]), {"deposit", "account", "statement", "totals"}),
    ],
)
def test_tags_say_which_operations_are_left(options: Namespace, left: set[str]) -> None:
    assert set(tags.operations(options)) == left


def test_locust_does_not_look_for_tags_at_the_one_task() -> None:
    options = said(["read"], ["statement"])
    tags.operations(options)

    assert options == said()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (said(["writes"]), "There is no tag writes; the nearest is write."),
        (said(["read"], ["read"]), "These tags leave no operation: say fewer of them."),
    ],
)
def test_tags_that_mean_nothing_are_refused(options: Namespace, says: str) -> None:
    with pytest.raises(NotStartedError) as refused:
        tags.operations(options)

    assert str(refused.value) == says


def test_a_mix_keeps_the_weights_of_what_is_left() -> None:
    assert tags.restrict({"deposit": 1, "account": 4}, ["account"]) == {"account": 4}
    with pytest.raises(NotStartedError, match="Of deposit the tags leave nothing"):
        tags.restrict({"deposit": 1}, ["account"])
