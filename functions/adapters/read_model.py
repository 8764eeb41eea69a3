"""How the read model is keyed in the query table.

Keys begin with a generation, so that a second read model can be built beside the live one.
"""

GENERATION = "g1"
ACCOUNT = "account"
TOTALS = "totals"
BY_OWNER = "by_owner"


def account_partition(account_id: str) -> str:
    """Return the partition of an account's row and statement lines."""
    return f"{GENERATION}#account#{account_id}"


def owner_partition(owner_id: str) -> str:
    """Return the partition of an owner's totals, and of their accounts in the index."""
    return f"{GENERATION}#owner#{owner_id}"


def line_sort_key(version: int) -> str:
    """Return the sort key of the statement line of one event."""
    return f"line#{version:012d}"
