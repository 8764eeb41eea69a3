"""A DynamoDB table as this stack wants them: on demand, recoverable, under AWS's own key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_dynamodb as dynamodb

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from constructs import Construct


def string(name: str) -> dynamodb.Attribute:
    """Returns a key attribute that holds text."""
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def number(name: str) -> dynamodb.Attribute:
    """Returns a key attribute that holds a number."""
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.NUMBER)


def table(
    scope: Construct,
    construct_id: str,
    *,
    removal_policy: RemovalPolicy,
    time_to_live_attribute: str | None = None,
) -> dynamodb.Table:
    """Declares a table keyed by ``pk`` and ``sk``.

    Args:
        scope: The construct it belongs to.
        construct_id: Its id there.
        removal_policy: Whether it outlives the stack.
        time_to_live_attribute: When an item may be removed (UTC seconds), if items expire.
    """
    return dynamodb.Table(
        scope,
        construct_id,
        partition_key=string("pk"),
        sort_key=string("sk"),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute=time_to_live_attribute,
        removal_policy=removal_policy,
    )
