"""The stack of a stranger: a library, whose books are bought, lent and returned."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs

COMMANDS = """
import json, os, time
import boto3
log = boto3.resource("dynamodb").Table(os.environ["LOG"])
queue = boto3.client("sqs")
TYPES = {"buy": "Bought", "lend": "Lent", "return": "Returned"}
def handle(command, _):
    key = boto3.dynamodb.conditions.Key("book").eq(command["book"])
    events = log.query(KeyConditionExpression=key, ConsistentRead=True)["Items"]
    print(command)
    if command["command"] == "lend" and events and events[-1]["type"] == "Lent":
        return {"refused": "it is lent"}
    event = {"book": command["book"], "version": len(events) + 1, "key": command["key"],
             "type": TYPES[command["command"]], "reader": command["reader"],
             "at_ms": int(time.time() * 1000)}
    log.put_item(Item=event, ConditionExpression="attribute_not_exists(book)")
    queue.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
    return {"version": event["version"]}
"""
QUERIES = """
import os
import boto3
views = boto3.resource("dynamodb").Table(os.environ["VIEWS"])
def handle(query, _):
    view = views.get_item(Key={"book": query["book"]}).get("Item")
    print(query)
    return view and {"version": int(view["version"]), "lent_to": view["lent_to"]}
"""
PROJECTION = """
import json, os
import boto3
views = boto3.resource("dynamodb").Table(os.environ["VIEWS"])
def handle(batch, _):
    for record in batch["Records"]:
        event = json.loads(record["body"])
        print(event)
        view = {"book": event["book"], "version": event["version"],
                "lent_to": event["reader"] if event["type"] == "Lent" else ""}
        try:
            views.put_item(
                Item=view, ConditionExpression="attribute_not_exists(book) OR version < :version",
                ExpressionAttributeValues={":version": event["version"]})
        except views.meta.client.exceptions.ConditionalCheckFailedException:
            print("the view is newer")
"""

app = cdk.App()
stack = cdk.Stack(app, "Library")
number, string = dynamodb.AttributeType.NUMBER, dynamodb.AttributeType.STRING
book = dynamodb.Attribute(name="book", type=string)
log = dynamodb.Table(
    stack, "Log", partition_key=book, sort_key=dynamodb.Attribute(name="version", type=number)
)
views = dynamodb.Table(stack, "Views", partition_key=book)
queue = sqs.Queue(stack, "Events")


def function(name: str, code: str, **environment: str) -> lambda_.Function:
    """A function with its code."""
    return lambda_.Function(
        stack,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handle",
        code=lambda_.Code.from_inline(code),
        environment=environment,
    )


commands = function("Commands", COMMANDS, LOG=log.table_name, QUEUE=queue.queue_url)
queries = function("Queries", QUERIES, VIEWS=views.table_name)
projection = function("Projection", PROJECTION, VIEWS=views.table_name)
projection.add_event_source(event_sources.SqsEventSource(queue, batch_size=1))
log.grant_read_write_data(commands)
queue.grant_send_messages(commands)
views.grant_read_data(queries)
views.grant_write_data(projection)
for name, value in {
    "CommandFunction": commands.function_name,
    "QueryFunction": queries.function_name,
    "LogTable": log.table_name,
    "ViewTable": views.table_name,
    "QueueName": queue.queue_name,
}.items():
    cdk.CfnOutput(stack, name, value=value)
app.synth()
