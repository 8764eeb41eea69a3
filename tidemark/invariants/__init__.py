"""One query per property that a run must have, and the judge that asks them all."""
