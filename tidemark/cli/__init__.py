"""The command line: `tidemark VERB`."""

from __future__ import annotations

import signal
import sys
import traceback


def main() -> None:
    """Run the verb of the command line, and exit with its code."""
    # A closed terminal or a `kill` ends a verb as Ctrl-C does: cleanly.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        # Half a second of imports, in which Ctrl-C must read as it does later.
        from tidemark.cli.program import run  # noqa: PLC0415

        sys.exit(run())
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\ntidemark: interrupted (exit 130)\n")
        sys.exit(130)
    except Exception:  # noqa: BLE001 -- nothing is lost: a bug's trace is printed, whatever it is
        # Python's own exit code for it is 1, which means here that an invariant is violated.
        traceback.print_exc()
        sys.stderr.write("tidemark: the harness or the target failed (exit 70)\n")
        sys.exit(70)
