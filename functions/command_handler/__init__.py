"""The write side: decides commands and appends their events."""
