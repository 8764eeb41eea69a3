"""What tells an operator how the system is: alarms, and one dashboard that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stack.alarms import flow_alarms, function_alarms, outbox_alarms
from stack.dashboard import widgets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_lambda as lambda_

    from stack.api import Api
    from stack.messaging import Messaging


class Observability(Construct):
    """Alarms on what needs a person, and a dashboard for the person who comes."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.Function],
        messaging: Messaging,
        api: Api,
        alarm_topic_arn: str | None,
    ) -> None:
        """Declares alarms and dashboard.

        Args:
            scope: The construct it belongs to.
            construct_id: Its id there.
            functions: The functions by the names that people call them by.
            messaging: The wiring.
            api: The API.
            alarm_topic_arn: The topic that is told when an alarm goes off, and when it is over;
                without one, an EventBridge rule on "CloudWatch Alarm State Change" reaches all.
        """
        super().__init__(scope, construct_id)
        alarms = [
            *flow_alarms(self, dead_letter_queue=messaging.dead_letter_queue, api=api),
            *outbox_alarms(self),
            *function_alarms(self, functions),
        ]
        if alarm_topic_arn is not None:
            topic = sns.Topic.from_topic_arn(self, "AlarmTopic", alarm_topic_arn)
            for alarm in alarms:
                alarm.add_alarm_action(actions.SnsAction(topic))
                alarm.add_ok_action(actions.SnsAction(topic))
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=Duration.hours(3),
            widgets=widgets(alarms=alarms, functions=functions, messaging=messaging, api=api),
        )
