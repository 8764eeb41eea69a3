"""Whom an API with IAM authorization knows the caller as."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients

NOBODY = "-"
"""Who calls where the target tells a function nothing of it."""


def principal_of(user_id: str) -> str:
    """Return the principal in what IAM calls a user id, the same for as long as it exists.

    A role's session is not part of it. A federated user is: it has no id but its name
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable).
    """
    principal = user_id.partition(":")[0]
    return user_id if principal.isdecimal() else principal


def possible_principals(clients: AwsClients) -> tuple[str, str]:
    """Return whom a target's APIs may know us as: our principal, or nobody."""
    return principal_of(clients.sts.get_caller_identity()["UserId"]), NOBODY
