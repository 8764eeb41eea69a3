"""The role with which API Gateway writes access logs: one per account and region, in no stack."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.targets.base import Preparation

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients

ROLE_NAME = "TidemarkApiGatewayLogs"

_MAY_NOT_ASK = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
# A new role is known to other services after some seconds.
_KNOWN_WITHIN_S = 90.0


def preparations(clients: AwsClients) -> list[Preparation]:
    """What is missing: nothing where the account has such a role, or may not be asked.

    Where it may not be asked, a deploy that lacks the role fails with CloudFormation's own words.
    """
    try:
        account = clients.client("apigateway").get_account()
    except ClientError as error:
        if error.response["Error"]["Code"] in _MAY_NOT_ASK:
            return []
        raise
    if account.get("cloudwatchRoleArn"):
        return []
    what = (
        f"IAM role {ROLE_NAME}, set as the role with which API Gateway writes the logs of every "
        "API of this account and region; it stays when the stack goes"
    )
    return [Preparation(what, partial(_make, clients))]


def _make(clients: AwsClients) -> None:
    """Create the role, if it is not there, and name it in the settings of API Gateway."""
    iam = clients.client("iam")
    try:
        role = iam.create_role(
            RoleName=ROLE_NAME,
            AssumeRolePolicyDocument=json.dumps(_TRUST),
            Description="Lets API Gateway write the logs of this account's APIs.",
            Tags=[{"Key": "project", "Value": "tidemark"}],
        )["Role"]
    except iam.exceptions.EntityAlreadyExistsException:
        role = iam.get_role(RoleName=ROLE_NAME)["Role"]
    partition = role["Arn"].split(":")[1]
    iam.attach_role_policy(
        RoleName=ROLE_NAME,
        PolicyArn=f"arn:{partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    )
    gateway = clients.client("apigateway")

    def probe() -> bool:
        try:
            gateway.update_account(
                patchOperations=[
                    {"op": "replace", "path": "/cloudwatchRoleArn", "value": role["Arn"]}
                ]
            )
        except gateway.exceptions.BadRequestException as error:
            raise NotYetError(str(error)) from error
        except gateway.exceptions.TooManyRequestsException as error:
            raise NotYetError(str(error)) from error
        return True

    try:
        eventually(probe, within_s=_KNOWN_WITHIN_S, what=f"API Gateway to take {ROLE_NAME}")
    except NotSeenError as not_seen:
        raise TidemarkError(f"API Gateway does not take its log role: {not_seen}") from not_seen
