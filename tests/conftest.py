"""Ctrl-C reaches what tests start, also where the suite runs in the background of a script."""

from __future__ import annotations

import signal

# A shell has what it starts there ignore it, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
