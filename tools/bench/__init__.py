"""What the README states, measured: `make bench`."""
