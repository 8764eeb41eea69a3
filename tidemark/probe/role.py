"""The one role that the functions of all rows share."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotYetError
from tidemark.probe.cleanup import Leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.aws.clients import AwsClients

T = TypeVar("T")

_SERVICES = ("apigateway", "lambda")
_ACTIONS = {
    "logs": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "sqs": [
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ],
}
# New roles take a moment until Lambda may assume them; a stack says so in its reason.
_NOT_YET = "cannot be assumed"


class Role:
    """A role that functions run as, made at its first use.

    Args:
        clients: The target's.
        name: What to call it; it may touch queues and logs whose names begin like its own.
        prefix: What the names of those begin with.
    """

    def __init__(self, clients: AwsClients, name: str, prefix: str) -> None:
        self._iam = clients.client("iam")
        self._name = name
        self._prefix = prefix
        self._lock = threading.Lock()
        self._arn: str | None = None
        self.leftovers = Leftovers()

    def used_by(self, create: Callable[[str], T]) -> T:
        """Create something with this role.

        Args:
            create: Creates it; is given the role's ARN.

        Raises:
            NotYetError: The role is too new for Lambda to assume it.
        """
        try:
            return create(self.arn)
        except (ClientError, TidemarkError) as error:
            if _NOT_YET in str(error):
                raise NotYetError("Lambda cannot assume a new role") from error
            raise

    @property
    def arn(self) -> str:
        """The role's ARN."""
        with self._lock:
            if self._arn is None:
                self._arn = self._made()
            return self._arn

    def _made(self) -> str:
        self.leftovers.owe(f"role {self._name}", lambda: self._iam.delete_role(RoleName=self._name))
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": [f"{service}.amazonaws.com" for service in _SERVICES]},
            "Action": "sts:AssumeRole",
        }
        arn: str = self._iam.create_role(
            RoleName=self._name, AssumeRolePolicyDocument=_document(trust)
        )["Role"]["Arn"]
        self.leftovers.owe(
            f"policy of {self._name}",
            lambda: self._iam.delete_role_policy(RoleName=self._name, PolicyName="probe"),
        )
        self._iam.put_role_policy(
            RoleName=self._name,
            PolicyName="probe",
            PolicyDocument=_document(
                {
                    "Effect": "Allow",
                    "Action": _ACTIONS["logs"],
                    "Resource": [
                        f"arn:aws:logs:*:*:log-group:/aws/lambda/{self._prefix}-*",
                        f"arn:aws:logs:*:*:log-group:{self._prefix}-*",
                    ],
                },
                {
                    "Effect": "Allow",
                    "Action": _ACTIONS["sqs"],
                    "Resource": f"arn:aws:sqs:*:*:{self._prefix}-*",
                },
            ),
        )
        return arn


def _document(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
