"""The numbers of a run: latency, lag, rates."""
