"""The topic that carries events to the read side."""

from typing import TYPE_CHECKING, Any

from functions.adapters.aws_errors import sorted_errors
from functions.adapters.event_codec import event_type, to_message
from functions.domain.account import Event

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class EventBus:
    """Publishes events to one SNS topic."""

    def __init__(self, sns: "SNSClient", topic_arn: str) -> None:
        self._sns = sns
        self._topic_arn = topic_arn

    def publish(self, event: Event, *, trace: str | None) -> None:
        """Publish one event; `trace` is the X-Ray header of the invocation, if there is one.

        Raises:
            AwsError: the topic refused it, or did not answer.
        """
        attributes = {"event_type": event_type(event), "account_id": event.account_id}
        if trace:
            attributes["trace"] = trace
        values: dict[str, Any] = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        message = to_message(event)
        with sorted_errors():
            self._sns.publish(TopicArn=self._topic_arn, Message=message, MessageAttributes=values)
