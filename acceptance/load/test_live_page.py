"""A run while it goes on, in a real browser: the tab in Locust's page, and the page with charts."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import httpx

from acceptance import chromium
from acceptance.load.processes import WITHIN_S, deployed, ended, started
from tests.api.servers import served
from tests.load.fake_bank import FakeBank
from tidemark.host import ports
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = "tidemarkCharts.find((one) => one.series[1].label === 'writes').data[0].length"

pytestmark = chromium.needed


def test_a_run_is_seen_in_a_tab_and_in_charts_that_go_on_with_it(tmp_path: Path) -> None:
    said: list[str] = []
    url = f"http://127.0.0.1:{(port := ports.choose(None))}"
    options = ["--web-port", str(port), "--run-time", "5m", "--arrivals", "closed"]
    options += ["--check", "off"]
    with served(FakeBank().answer) as bank, chromium.started() as browser:
        deployed(bank, tmp_path)
        process = started(tmp_path, *options)
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

        # Whoever looked on goes, one in the middle of an answer.
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(b"GET /tide HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        browser.close()
        httpx.post(f"{url}/stop", trust_env=False)
        eventually(lambda: list(tmp_path.glob("runs/*/report.html")) or None, within_s=WITHIN_S)
        process.send_signal(signal.SIGINT)
        code, out, err = ended(process)

    assert said == []
    assert code == 0, err
    assert "latency in ms" in out
    assert "Traceback" not in err
