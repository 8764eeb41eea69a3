"""Has Ctrl-C come while a user is in the middle of a call, and prints who noticed.

A program of its own, because importing Locust patches the standard library of its process.
"""

from __future__ import annotations

import os
import signal

import gevent  # type: ignore[import-untyped]  # it ships no types

from loadtest.lifecycle import end_between_calls


def main() -> None:
    """Print one line for the user and one for the main greenlet."""
    noticed = []

    def call() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            gevent.sleep(0.01)
            noticed.append("the call ended")
        except KeyboardInterrupt:
            noticed.append("the call was cut")

    end_between_calls(gevent.getcurrent())
    user = gevent.spawn(call)
    try:
        gevent.get_hub().join(10)
    except KeyboardInterrupt:
        noticed.append("the run was told")
        user.join()
    print(sorted(noticed))  # noqa: T201 -- printing is what this program is for


if __name__ == "__main__":
    main()
