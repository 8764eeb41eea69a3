"""The way of one command, event or account through the running stack, as one timeline."""
