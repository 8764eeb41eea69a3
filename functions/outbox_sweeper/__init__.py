"""Re-publishes events that the projection has not acknowledged."""
