"""The read side: the Query table, the Update Processor and the Query Handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from stack.handler_function import HandlerFunction, allow
from stack.messaging import PROCESSOR_TIMEOUT
from stack.table import string, table

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy

    from stack.handler_function import Build
    from stack.messaging import Messaging

OWNER_INDEX = "by_owner"
# The partition keys of the first generation of the read model.
ACCOUNT_KEYS = "g1#account#*"
OWNER_KEYS = "g1#owner#*"


class ReadSide(Construct):
    """Projects events and answers queries.

    Attributes:
        query_table: The read model.
        update_processor: Applies events to it.
        query_handler: Answers from it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        command_table: dynamodb.ITable,
        messaging: Messaging,
        build: Build,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.query_table = table(self, "QueryTable", removal_policy=removal_policy)
        self.query_table.add_global_secondary_index(
            index_name=OWNER_INDEX,
            partition_key=string("owner_key"),
            sort_key=string("account_id"),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["owner_id", "balance", "status", "version"],
        )
        table_arn = self.query_table.table_arn
        self.update_processor = HandlerFunction(
            self,
            "UpdateProcessor",
            package="update_processor",
            build=build,
            timeout=PROCESSOR_TIMEOUT,
            environment={
                "COMMAND_TABLE_NAME": command_table.table_name,
                "QUERY_TABLE_NAME": self.query_table.table_name,
                **messaging.processor_environment,
            },
            permissions=[
                # A transaction is authorised as what its items are.
                allow("dynamodb:PutItem", on=[table_arn], leading_keys=[ACCOUNT_KEYS]),
                allow("dynamodb:UpdateItem", on=[table_arn], leading_keys=[OWNER_KEYS]),
                allow(
                    "dynamodb:Query",
                    "dynamodb:UpdateItem",
                    on=[command_table.table_arn],
                    leading_keys=["account#*"],
                ),
                *messaging.processor_permissions,
            ],
            dead_letter_queue=messaging.function_dead_letter_queue,
        ).function
        messaging.deliver_to(self.update_processor)
        self.query_handler = HandlerFunction(
            self,
            "QueryHandler",
            package="query_handler",
            build=build,
            timeout=Duration.seconds(10),
            environment={"QUERY_TABLE_NAME": self.query_table.table_name},
            permissions=[
                allow("dynamodb:GetItem", on=[table_arn], leading_keys=[ACCOUNT_KEYS, OWNER_KEYS]),
                allow("dynamodb:Query", on=[table_arn], leading_keys=[ACCOUNT_KEYS]),
                allow(
                    "dynamodb:Query",
                    on=[f"{table_arn}/index/{OWNER_INDEX}"],
                    leading_keys=[OWNER_KEYS],
                ),
            ],
        ).function
