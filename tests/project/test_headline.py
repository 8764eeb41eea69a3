"""What each target sustains, as it is published: a page, and two rows of the README's table."""

from __future__ import annotations

import re
from pathlib import Path

from tools.bench.headline import TARGETS, in_readme, page

FOUND = {
    "embedded": {
        "headline": "93.5 writes/s and 222 reads/s",
        "curve": [["profile", "offered/s", "verdict"], ["write", "93.5", "sustained"]],
        "endings": ["write: 102 calls/s failed."],
        "found": {"write": {"writes_per_s": 93.49}, "read": {"reads_per_s": None}},
    }
}
README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_page_has_the_headline_the_curve_and_why_it_ends_there() -> None:
    assert page(FOUND).endswith(
        "\n## embedded\n\n**93.5 writes/s and 222 reads/s.**\n\n"
        "| profile | offered/s | verdict |\n| --- | ---: | --- |\n| write | 93.5 | sustained |\n\n"
        "- write: 102 calls/s failed.\n"
        "\n## localstack\n\n**Not measured yet.**\n"
    )


def test_a_page_without_figures_says_that_it_has_none() -> None:
    assert page({}).endswith(
        "\n## embedded\n\n**Not measured yet.**\n\n## localstack\n\n**Not measured yet.**\n"
    )


def test_the_page_that_is_published_says_of_each_target_what_it_sustains() -> None:
    published = (README.parent / "docs/capacity.md").read_text()
    assert published.startswith(page({}).partition("\n## ")[0])
    assert re.findall(r"^## (\w+)\n\n\*\*.+\.\*\*$", published, re.MULTILINE) == [*TARGETS]


def test_the_readmes_rows_are_replaced_and_nothing_else() -> None:
    before = README.read_text().splitlines()
    after = in_readme(README.read_text(), FOUND).splitlines()
    assert len(after) == len(before)
    rows = [one for one in after if "sustained, without others" in one]
    assert rows == [
        "| writes sustained, without others | 93.5 /s | not measured |",
        "| reads sustained, without others | not measured | not measured |",
    ]
    rest = [[one for one in text if "without others" not in one] for text in (before, after)]
    assert rest[0] == rest[1]
