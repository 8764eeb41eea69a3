"""Whom an API with IAM authorization takes its caller for."""

from __future__ import annotations

NOBODY = "-"
"""Who calls where the target tells a function nothing of it."""


def principal_of(user_id: str) -> str:
    """Return the principal in what IAM calls a user id, the same for as long as it exists.

    A role's session is not part of it. A federated user is: it has no id but its name
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable).
    """
    principal = user_id.partition(":")[0]
    return user_id if principal.isdecimal() else principal
