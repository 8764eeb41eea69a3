"""The numbers of a run: latency, lateness, rates."""
