"""A look at this machine: what a target needs, what is there, and how to mend the rest.

Nothing here leaves the machine: it asks the file system, loopback and the Docker socket. The one
exception is AWS itself, when the caller says so.
"""
