"""What a call takes, item by item."""

from __future__ import annotations

from typing import Any

import pytest

from integration.expansion import Permission, UnknownCallError, expand, pattern_of

KEY = {"pk": {"S": "account#1"}, "sk": {"S": "head"}}


def partition_key(table: str, index: str) -> str:
    assert table in {"Log", "Model"}
    return {"": "pk", "by_owner": "owner_key", "shards": "shard"}[index]


def expanded(service: str, operation: str, **parameters: Any) -> list[Permission]:
    return list(expand(service, operation, parameters, partition_key))


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem", "DeleteItem"])
def test_a_call_on_one_item_takes_its_action_and_its_key(operation: str) -> None:
    assert expanded("dynamodb", operation, TableName="Log", Key=KEY) == [
        Permission(f"dynamodb:{operation}", "Log", leading_key="account#1")
    ]


def test_a_put_names_its_key_among_the_item() -> None:
    item = {**KEY, "balance": {"N": "1"}}
    assert expanded("dynamodb", "PutItem", TableName="Log", Item=item) == [
        Permission("dynamodb:PutItem", "Log", leading_key="account#1")
    ]


def test_a_transaction_takes_what_its_items_are() -> None:
    other = {"pk": {"S": "command#2"}, "sk": {"S": "command"}}
    items = [
        {"Put": {"TableName": "Log", "Item": KEY}},
        {"Update": {"TableName": "Model", "Key": other}},
        {"Delete": {"TableName": "Model", "Key": KEY}},
        {"ConditionCheck": {"TableName": "Log", "Key": other}},
    ]
    assert expanded("dynamodb", "TransactWriteItems", TransactItems=items) == [
        Permission("dynamodb:PutItem", "Log", leading_key="account#1"),
        Permission("dynamodb:UpdateItem", "Model", leading_key="command#2"),
        Permission("dynamodb:DeleteItem", "Model", leading_key="account#1"),
        Permission("dynamodb:ConditionCheckItem", "Log", leading_key="command#2"),
    ]


def test_a_batch_takes_each_of_its_keys() -> None:
    other = {"pk": {"S": "account#2"}, "sk": {"S": "head"}}
    request = {"Log": {"Keys": [KEY, other]}, "Model": {"Keys": [KEY]}}
    assert expanded("dynamodb", "BatchGetItem", RequestItems=request) == [
        Permission("dynamodb:BatchGetItem", "Log", leading_key="account#1"),
        Permission("dynamodb:BatchGetItem", "Log", leading_key="account#2"),
        Permission("dynamodb:BatchGetItem", "Model", leading_key="account#1"),
    ]


def test_a_query_names_its_partition_key_in_its_condition() -> None:
    assert expanded(
        "dynamodb",
        "Query",
        TableName="Log",
        KeyConditionExpression="sk = :sk AND pk = :pk",
        ExpressionAttributeValues={":sk": {"S": "head"}, ":pk": {"S": "account#1"}},
    ) == [Permission("dynamodb:Query", "Log", leading_key="account#1")]


def test_a_query_of_an_index_names_the_partition_key_of_the_index() -> None:
    assert expanded(
        "dynamodb",
        "Query",
        TableName="Model",
        IndexName="by_owner",
        KeyConditionExpression="#sort > :after AND #owner = :owner",
        ExpressionAttributeNames={"#sort": "account_id", "#owner": "owner_key"},
        ExpressionAttributeValues={":after": {"S": "a"}, ":owner": {"S": "owner#1"}},
    ) == [Permission("dynamodb:Query", "Model", "by_owner", "owner#1")]


def test_a_number_is_no_leading_key() -> None:
    assert expanded(
        "dynamodb",
        "Query",
        TableName="Log",
        IndexName="shards",
        KeyConditionExpression="shard = :shard",
        ExpressionAttributeValues={":shard": {"N": "7"}},
    ) == [Permission("dynamodb:Query", "Log", "shards")]


def test_messages_are_sent_and_hidden_on_what_the_call_names() -> None:
    assert expanded("sns", "Publish", TopicArn="arn", Message="m") == [
        Permission("sns:Publish", "arn")
    ]
    assert expanded("sqs", "ChangeMessageVisibility", QueueUrl="url", ReceiptHandle="r") == [
        Permission("sqs:ChangeMessageVisibility", "url")
    ]


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("dynamodb", "Scan", {"TableName": "Log"}),
        ("s3", "GetObject", {"Bucket": "b", "Key": "k"}),
        (
            "dynamodb",
            "Query",
            {
                "TableName": "Log",
                "KeyConditionExpression": "begins_with(sk, :sk)",
                "ExpressionAttributeValues": {":sk": {"S": "head"}},
            },
        ),
    ],
)
def test_a_call_that_is_not_known_is_an_error_and_no_guess(
    service: str, operation: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(UnknownCallError, match="teach"):
        expanded(service, operation, **parameters)


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("account#1", "account#*"),
        ("account#a#b", "account#*"),
        ("account#", "account#*"),
        ("g1#account#1", "g1#account#*"),
        ("g2#account#1", "g2#account#1"),
        ("", ""),
    ],
)
def test_a_key_is_known_by_its_family_and_one_of_none_by_itself(key: str, pattern: str) -> None:
    assert pattern_of(key, ("account#", "g1#account#")) == pattern
