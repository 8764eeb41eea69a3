"""What the README says an idle stack costs is what its template comes to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.pricing import idle_month

if TYPE_CHECKING:
    from tests.stack.conftest import Template

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_states_the_estimate_and_what_most_of_it_is_for(queued: Template) -> None:
    items = idle_month(queued.content)

    stated = re.search(r"about \$(\d+) a month, most of it for one dashboard and (\d+) al", README)
    assert stated is not None
    assert int(stated[1]) == round(sum(item.usd for item in items))
    assert int(stated[2]) == len(queued.resources("AWS::CloudWatch::Alarm"))
    dearest = [item.what for item in items[:2]]
    assert dearest == ["1 dashboard(s)", f"{stated[2]} alarm(s)"]


def test_every_part_of_the_stack_that_works_while_idle_is_priced(queued: Template) -> None:
    priced = " ".join(item.what for item in idle_month(queued.content) if item.usd > 0)

    for what in ("dashboard", "alarm", "metrics", "traces", "sweeps", "log lines", "polling"):
        assert what in priced


def test_without_a_queue_nothing_polls(direct: Template) -> None:
    assert not any("polling" in item.what for item in idle_month(direct.content))
