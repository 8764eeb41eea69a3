from __future__ import annotations

import subprocess
import sys

import pytest

from loadtest.waking import wake_in_time


@pytest.mark.parametrize(
    ("chosen", "waits_by"), [({}, "select"), ({"GEVENT_BACKEND": "poll"}, "poll")]
)
def test_gevent_waits_for_less_than_milliseconds_unless_told_otherwise(
    chosen: dict[str, str], waits_by: str
) -> None:
    environ = dict(chosen)
    wake_in_time(environ)
    asked = "import gevent; print(gevent.get_hub().loop.backend)"
    said = subprocess.run(
        [sys.executable, "-c", asked], env=environ, check=True, text=True, stdout=subprocess.PIPE
    )
    assert said.stdout.strip() == waits_by
