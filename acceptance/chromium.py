"""A real browser without a window, from the distribution, for the tests of pages."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

_FOUND = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

needed = pytest.mark.skipif(
    _FOUND is None, reason="there is no Chromium here: `apt-get install chromium` brings it"
)
"""Of tests that cannot be without it."""


@contextmanager
def started() -> Iterator[Browser]:
    """The browser, as long as the block lasts; root needs it without a sandbox."""
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_FOUND, args=sandbox)
        yield browser
        browser.close()
