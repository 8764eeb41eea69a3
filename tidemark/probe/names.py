"""What the probe calls all that it makes: names by which it is found again."""

import re
import uuid

PREFIX = "tidemark-probe"
UNIQUE_NAME = re.compile(PREFIX + "-[0-9a-f]{12}")


def unique_name() -> str:
    """A name that no other row or run has, within every service's length."""
    return f"{PREFIX}-{uuid.uuid4().hex[:12]}"
