"""What an idle stack costs is one figure with its date, the same wherever it is stated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidemark.deploy import changes

if TYPE_CHECKING:
    from tests.stack.conftest import Template

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "stack/README.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_states_what_the_consent_screen_shows(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")

    assert re.findall(r"about \$(\d+) a month", text) == [str(changes.IDLE_USD_A_MONTH)]
    assert changes.PRICED_ON in text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_counts_the_alarms_that_most_of_it_is_for(
    document: str, queued: Template
) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")

    stated = re.search(r"a month.*?most of it for one dashboard and (\d+) alarms", text)
    assert stated is not None
    assert len(queued.resources("AWS::CloudWatch::Dashboard")) == 1
    assert int(stated[1]) == len(queued.resources("AWS::CloudWatch::Alarm"))
