"""The projection: applies each event to the read model exactly once."""
