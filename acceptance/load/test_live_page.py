"""A run while it goes on, in a real browser: the tab in Locust's page, and the page with charts."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from acceptance.load.processes import deployed, started
from tests.api.servers import served
from tests.load.fake_bank import FakeBank
from tidemark.host import ports
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SECONDS = "tidemarkCharts.find((one) => one.series[1].label === 'writes').data[0].length"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here: `apt-get install chromium` brings it"
)


def test_a_run_is_seen_in_a_tab_and_in_charts_that_go_on_with_it(tmp_path: Path) -> None:
    said: list[str] = []
    url = f"http://127.0.0.1:{(port := ports.choose(None))}"
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    options = ["--web-port", str(port), "--run-time", "5m", "--arrivals", "closed"]
    options += ["--check", "off"]
    with served(FakeBank().answer) as bank, sync_playwright() as driver:
        deployed(bank, tmp_path)
        started(tmp_path, *options)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        tab, live = browser.new_page(), browser.new_page()

        def answers() -> bool:
            try:
                return bool(tab.request.get(url).ok)
            except Exception as error:  # whatever the driver says of a port where nobody listens
                raise NotYetError(str(error)) from error

        eventually(answers, within_s=40, what="the page")
        for page in (tab, live):
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
        live.goto(f"{url}/tide")
        assert live.locator(".tiles li").count() == 1  # there is no run yet
        begun = tab.request.post(f"{url}/swarm", form={"user_count": "1", "spawn_rate": "1"})
        assert begun.json()["success"], begun.text()

        eventually(lambda: live.locator(".tiles li").count() > 1, what="the first reading")
        eventually(lambda: live.evaluate(SECONDS) > 1, what="seconds to be drawn")
        before = live.evaluate(SECONDS)
        eventually(lambda: live.evaluate(SECONDS) > before, what="a second more")
        assert live.locator("figure canvas").count() == 5
        tab.goto(f"{url}/?tab=tide")
        tab.wait_for_selector("text=events accepted")
        with tab.expect_popup() as opened:
            tab.click("text=Tide: live charts")
        assert opened.value.url == f"{url}/tide"
        browser.close()

    assert said == []
