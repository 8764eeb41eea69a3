"""The page of a run in a real browser: it draws, says what the verdict says, and asks nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from acceptance import chromium
from tests.report.made import write_judged
from tidemark.history.places import VERDICT
from tidemark.report import run_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    Open = Callable[..., Page]

CHARTS = {"throughput", "latency", "lag", "backlog", "distribution", "t-visibility"}

pytestmark = chromium.needed


@pytest.fixture(scope="module")
def page_of_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a load run."""
    return run_page.write(write_judged(tmp_path_factory.mktemp("runs") / "run"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all."""
    with chromium.started() as started:
        yield started


@pytest.fixture
def opened(browser: Browser, page_of_run: Path) -> Iterator[Open]:
    """Opens the page; at the end nobody has complained, and nothing was asked of a network."""
    said: list[str] = []
    contexts = []

    def opened(script: str = "", **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda one: said.append(one.url) if one.url != page_of_run.as_uri() else None
        )
        if script:
            page.add_init_script(script)
        page.goto(page_of_run.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def lengths(page: Page) -> list[list[int]]:
    """How many points each line of each chart has."""
    found: list[list[int]] = page.evaluate(
        "tidemarkCharts.map((chart) => chart.data.map("
        "(line) => line.filter((value) => value !== null).length))"
    )
    return found


def test_every_chart_has_data_and_a_place(opened: Open) -> None:
    page = opened()

    assert {one.get_attribute("id") for one in page.query_selector_all("figure")} == CHARTS
    assert page.locator("figure canvas").count() == len(CHARTS)
    assert all(all(lines[:2]) for lines in lengths(page))
    assert all(len(lines) > 1 for lines in lengths(page))


@pytest.mark.parametrize("scripts", [True, False])
def test_its_numbers_are_those_of_the_verdict(
    opened: Open, page_of_run: Path, *, scripts: bool
) -> None:
    page = opened(java_script_enabled=scripts)
    judged = json.loads((page_of_run.parent / VERDICT).read_text())
    cells = {one.get_attribute("value") for one in page.query_selector_all("td data")}
    found = {float(one or "nan") for one in cells}

    for side in ("writes", "reads"):
        assert set(judged["figures"][side]["latency"].values()) <= found
    assert set(judged["lateness"]["lag"].values()) <= found
    assert page.locator(".verdict strong").inner_text() == judged["verdict"]


def test_without_scripts_nothing_is_missing_but_the_drawing(opened: Open) -> None:
    page = opened(java_script_enabled=False)

    assert page.locator("figure details").count() == len(CHARTS)
    assert page.locator("figure .plot:visible").count() == 0
    page.locator("#throughput summary").click()
    assert page.locator("#throughput tbody tr").first.is_visible()


@pytest.mark.parametrize("language", ["en-US@posix", "", "C.UTF-8", "de-DE"])
def test_a_language_that_is_none_stops_no_chart(opened: Open, language: str) -> None:
    told = (
        f"Object.defineProperty(navigator, 'language', {{value: '{language}', configurable: true}})"
    )

    assert len(lengths(opened(told))) == len(CHARTS)


def test_it_fits_a_phone_and_follows_the_dark(opened: Open) -> None:
    for scheme in ("light", "dark"):
        page = opened(viewport={"width": 390, "height": 844}, color_scheme=scheme)

        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.locator("figure canvas").count() == len(CHARTS)
    background = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    page.emulate_media(color_scheme="light")

    assert page.evaluate(background) != before
    assert len(lengths(page)) == len(CHARTS)


def test_the_keyboard_reads_a_chart_point_by_point(opened: Open) -> None:
    page = opened()
    page.locator("#throughput .plot").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")

    assert page.evaluate("tidemarkCharts[0].cursor.idx") == 1
    assert page.locator("#throughput .u-legend .u-value").first.inner_text() == "0:01"


def test_it_prints_in_light_colours(opened: Open) -> None:
    page = opened(color_scheme="dark")
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


def test_what_is_printed_is_cut_off_nowhere(opened: Open) -> None:
    page = opened(viewport={"width": 720, "height": 1000})
    page.emulate_media(media="print")

    cut = """[...document.querySelectorAll("td")].filter((cell) => {
        const [shown, place] = [cell, cell.closest(".scroll, table")].map((one) =>
            one.getBoundingClientRect());
        return shown.bottom > place.bottom + 1 || shown.right > innerWidth + 1;
    }).map((cell) => cell.textContent)"""
    assert page.locator("td:visible").count() > 20
    assert page.evaluate(cut) == []
