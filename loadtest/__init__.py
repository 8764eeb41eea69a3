"""Load runs with Locust: the users, their transport, and what a run begins and ends with."""
