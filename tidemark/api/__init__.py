"""One HTTP call to a CQRS API: build, sign, send, judge."""
