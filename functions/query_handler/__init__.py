"""The read side: answers queries from the query table."""
