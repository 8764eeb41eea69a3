"""The bank account and its rules: no clock, no I/O, nothing from AWS."""
