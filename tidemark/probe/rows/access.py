"""IAM: who is refused, callers and services alike."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Credentials
from tidemark.host.waiting import NotYetError
from tidemark.probe.names import unique_name
from tidemark.probe.observation import TRYING_S, NotProbedError, NotSeenInTimeError, differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation

topic = Topic("access", makes=("roles", "queues", "topics", "functions"))

_UNKNOWN_KEY = Credentials("AKIAIOSFODNN7EXAMPLE", "unknown")
_ACCESS_DENIED = {"AccessDeniedException", "AccessDenied", "AuthorizationError"}
_KEY_UNKNOWN = {"UnrecognizedClientException", "InvalidClientTokenId"}
# A delivery shows within a second or two, where there is one.
_STAYS_AWAY_S = 5


@topic.row(
    "iam-role-without-permissions",
    aws="A role without a policy may do nothing: every request is denied.",
    documentation="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html",
    within_s=15,
)
def iam_role_without_permissions(bench: Bench) -> Observation:
    """Assume a role without a policy, and list tables."""
    iam = bench.clients.client("iam")
    name = unique_name()
    account = bench.clients.sts.get_caller_identity()["Account"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    bench.leftovers.owe(f"role {name}", lambda: iam.delete_role(RoleName=name))
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    def assume() -> Credentials:
        try:
            given = bench.clients.sts.assume_role(RoleArn=arn, RoleSessionName="probe")
        except ClientError as error:
            raise NotYetError(error.response["Error"]["Code"]) from error
        keys = given["Credentials"]
        return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    credentials = bench.eventually(assume, what="the role to be assumable")
    return _list_tables(bench, credentials, refused_with=_ACCESS_DENIED)


@topic.row(
    "iam-unknown-access-key",
    aws="An access key that does not exist is refused: UnrecognizedClientException.",
    documentation="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html",
    within_s=15,
)
def iam_unknown_access_key(bench: Bench) -> Observation:
    """List tables with an access key that nobody has."""
    return _list_tables(bench, _UNKNOWN_KEY, refused_with=_KEY_UNKNOWN)


def _list_tables(
    bench: Bench, credentials: Credentials, *, refused_with: Container[str]
) -> Observation:
    theirs = replace(bench.clients.connection, credentials=credentials)
    try:
        AwsClients(theirs).dynamodb.list_tables()
    except ClientError as error:
        return _judge_refusal(error, refused_with)
    return differs("not refused: IAM is not enforced")


def _judge_refusal(error: ClientError, codes: Container[str]) -> Observation:
    """That a call was refused for want of permission; a failure for other reasons stays one."""
    code = error.response["Error"]["Code"]
    if code not in codes:
        raise error
    return same(f"refused: {code}")


@topic.row(
    "queue-without-policy",
    aws="A topic cannot deliver to a queue whose policy does not allow it.",
    documentation="https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
    within_s=15,
    patient_s=TRYING_S,
)
def queue_without_policy(bench: Bench) -> Observation:
    """Publish to a queue that has no policy."""
    queue = bench.queue()
    arn = bench.topic()
    bench.clients.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn)
    bench.clients.sns.publish(TopicArn=arn, Message="probe")
    return _judge_delivery(bench, lambda: bool(bench.depth(queue)))


@topic.row(
    "function-without-permission",
    aws="A topic cannot invoke a function whose resource policy does not allow it.",
    documentation="https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html",
    within_s=15,
    patient_s=TRYING_S,
)
def function_without_permission(bench: Bench) -> Observation:
    """Publish to a function that has no resource policy."""
    function = bench.function()
    arn = bench.topic()
    try:
        bench.clients.sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=function.arn)
        bench.clients.sns.publish(TopicArn=arn, Message="probe")
    except ClientError as error:
        return _judge_refusal(error, _ACCESS_DENIED)
    return _judge_delivery(bench, lambda: bool(bench.invocations(function)))


def _judge_delivery(bench: Bench, is_there: Callable[[], bool]) -> Observation:
    """Wait for a delivery as long as the row may take: that none comes is what AWS documents."""
    waits_s = bench.left_s
    if waits_s < _STAYS_AWAY_S:
        raise NotProbedError("no time is left in which a delivery would show")
    try:
        bench.eventually(lambda: is_there() or None, what="a delivery")
    except NotSeenInTimeError:
        return same("not delivered", f"within {waits_s:.0f} s")
    return differs("delivered: the policy is not asked")
