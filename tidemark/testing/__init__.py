"""What the pytest plugin is made of: a testbed of its own, and what targets can do."""
