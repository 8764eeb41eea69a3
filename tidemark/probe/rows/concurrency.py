"""Functions that may not run: reserved concurrency, and what CloudFormation makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotYetError
from tidemark.probe.functions import RUNTIME
from tidemark.probe.observation import compare, differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.probe.bench import Bench
    from tidemark.probe.functions import Function
    from tidemark.probe.observation import Observation

topic = Topic("function settings", makes=("functions", "queues", "stacks"))

_INVOKE = "https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"
_FUNCTION = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html"
_MAPPED = "https://repost.aws/knowledge-center/lambda-retrying-valid-sqs-messages"
_REASON = "ReservedFunctionConcurrentInvocationLimitExceeded"


@topic.row(
    "reserved-concurrency-by-api",
    aws=f"With a reserved concurrency of 0 an invocation is refused: TooManyRequestsException, "
    f"{_REASON}.",
    documentation=_INVOKE,
    within_s=15,
)
def reserved_concurrency_by_api(bench: Bench) -> Observation:
    """Reserve nothing for a function, and invoke it."""
    function = bench.function()
    bench.clients.functions.put_function_concurrency(
        FunctionName=function.name, ReservedConcurrentExecutions=0
    )
    reason = _refusal(bench, function)
    return compare(reason == _REASON, f"TooManyRequestsException, {reason}")


def _refusal(bench: Bench, function: Function) -> str:
    functions = bench.clients.functions

    def probe() -> str:
        try:
            functions.invoke(FunctionName=function.name)
        except functions.exceptions.TooManyRequestsException as refused:
            return str(refused.response.get("Reason", "no reason given"))
        raise NotYetError("the function runs")

    return bench.eventually(probe, what="a refused invocation")


@topic.row(
    "reserved-concurrency-and-queue",
    aws="While a function may not run, its queue's messages return to the queue: nothing is "
    "invoked, and nothing is lost. Received too often, they go to the dead-letter queue, if there "
    "is one.",
    documentation=_MAPPED,
    within_s=20,
)
def reserved_concurrency_and_queue(bench: Bench) -> Observation:
    """Send to a queue whose function may not run."""
    queue = bench.queue(VisibilityTimeout="2")
    function = bench.function(Timeout=2)
    bench.clients.functions.put_function_concurrency(
        FunctionName=function.name, ReservedConcurrentExecutions=0
    )
    _refusal(bench, function)
    bench.mapping(function, queue)
    bench.clients.sqs.send_message(QueueUrl=queue.url, MessageBody="good")
    invocations, depth = bench.settle(
        lambda: (len(bench.invocations(function)), bench.depth(queue)),
        for_s=4,
        what="the queue to be left alone",
    )
    if invocations:
        return differs("the function is invoked")
    return same("not invoked, message kept") if depth else differs("not invoked, message lost")


@topic.row(
    "reserved-concurrency-by-cloudformation",
    aws="ReservedConcurrentExecutions in a template is set on the function.",
    documentation=_FUNCTION,
    within_s=30,
)
def reserved_concurrency_by_cloudformation(bench: Bench) -> Observation:
    """Deploy a function that reserves nothing, and ask what is reserved."""
    name = _deploy(bench, ReservedConcurrentExecutions=0)
    found = bench.clients.functions.get_function_concurrency(FunctionName=name)
    if found.get("ReservedConcurrentExecutions") == 0:
        return same("set")
    return differs("dropped: the function may run, and the stack reports success")


@topic.row(
    "dead-letter-queue-by-cloudformation",
    aws="DeadLetterConfig in a template is set on the function.",
    documentation=_FUNCTION,
    within_s=30,
)
def dead_letter_queue_by_cloudformation(bench: Bench) -> Observation:
    """Deploy a function with a dead-letter queue, and ask for it."""
    queue = bench.queue()
    name = _deploy(bench, DeadLetterConfig={"TargetArn": queue.arn})
    found = bench.clients.functions.get_function_configuration(FunctionName=name)
    if found.get("DeadLetterConfig", {}).get("TargetArn") == queue.arn:
        return same("set")
    return differs("dropped: no dead-letter queue, and the stack reports success")


@topic.row(
    "failed-stack-rolls-back",
    aws="A resource that cannot be created fails the stack, which rolls back and says why.",
    documentation="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html",
    within_s=30,
)
def failed_stack_rolls_back(bench: Bench) -> Observation:
    """Deploy a mapping to a function that does not exist."""
    queue = bench.queue()
    mapping = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"EventSourceArn": queue.arn, "FunctionName": "tidemark-probe-absent"},
    }
    try:
        bench.stack({"Mapping": mapping})
    except ClientError as error:
        return differs(f"refused at once: {error.response['Error']['Code']}")
    except TidemarkError as error:
        has_reason = "None" not in str(error)
        return compare(has_reason, f"rolled back, with{'' if has_reason else 'out'} a reason")
    return differs("the stack reports success")


def _deploy(bench: Bench, **properties: Any) -> str:
    function: Mapping[str, Any] = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": RUNTIME,
            "Handler": "index.handle",
            "Code": {"ZipFile": "def handle(event, context):\n    return {}\n"},
            "Role": bench.role.arn,
            **properties,
        },
    }
    return bench.with_role(lambda _: bench.stack({"Function": function}))["Function"]
