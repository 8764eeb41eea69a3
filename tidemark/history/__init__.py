"""The run folder: what a run did and what the system held at its end, in tables."""
