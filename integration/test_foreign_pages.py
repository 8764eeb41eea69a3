"""The embedded target answers no page of the web: functions there are processes of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from integration.site import Site


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://page.example"},
        {"Host": "rebound.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["", "/_ministack/reset"])
def test_a_page_of_the_web_is_refused(site: Site, path: str, headers: dict[str, str]) -> None:
    if site.deployment.target != "embedded":
        pytest.skip(f"the {site.deployment.target} target has no guard of ours")
    answer = httpx.post(f"{site.deployment.endpoint}{path}", headers=headers)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
