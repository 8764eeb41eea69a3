"""The functions of one row: made, let receive, and read by what they log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tidemark.probe.invocations import HANDLER, Invocation, code_zip, invocations_in
from tidemark.probe.names import unique_name
from tidemark.probe.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.aws.clients import AwsClients
    from tidemark.probe.role import Role

T = TypeVar("T")

RUNTIME: Final = "python3.13"
_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the row's own."""

    name: str
    arn: str


class Functions(Patience):
    """What a row with functions works with.

    Args:
        clients: The target's.
        role: The role of functions.
        within_s: How long the row may take, in seconds.
    """

    def __init__(
        self, clients: AwsClients, role: Role, within_s: float, clock: Callable[[], float]
    ) -> None:
        super().__init__(within_s, clock)
        self.clients = clients
        self.role = role

    def function(
        self,
        *,
        fails: bool = False,
        answer: Any = None,
        extra_line: str = "",
        **settings: Any,
    ) -> Function:
        """Make a function that logs its invocations, and wait until it can be invoked.

        Args:
            fails: Whether it raises.
            answer: What it returns otherwise; `$id` in it is the id of the message "bad", `$caller`
                who signed the request.
            extra_line: A further line for it to log.
            settings: More arguments of CreateFunction.
        """
        name = unique_name()
        functions = self.clients.functions
        # Twice: an invocation that is under way when the row ends may log once more.
        for leftovers in (self.role.leftovers, self.leftovers):
            leftovers.owe(
                f"log group of {name}",
                lambda: self.clients.logs.delete_log_group(logGroupName=f"/aws/lambda/{name}"),
            )
        self.leftovers.owe(f"function {name}", lambda: functions.delete_function(FunctionName=name))
        environment = {
            "BEHAVIOUR": "fail" if fails else "answer",
            "ANSWER": json.dumps({} if answer is None else answer),
            "EXTRA_LINE": extra_line,
        }
        arn = self.with_role(
            lambda role_arn: functions.create_function(
                FunctionName=name,
                Runtime=RUNTIME,
                Handler=HANDLER,
                Role=role_arn,
                Code={"ZipFile": code_zip()},
                MemorySize=128,
                Environment={"Variables": environment},
                **{"Timeout": _TIMEOUT_S, **settings},
            )["FunctionArn"],
        )

        def is_active() -> bool | None:
            configuration = functions.get_function_configuration(FunctionName=name)
            return True if configuration.get("State", "Active") == "Active" else None

        self.eventually(is_active, what="a function to be active")
        return Function(name, arn)

    def with_role(self, create: Callable[[str], T]) -> T:
        """Create something that runs as the probe's role, as soon as that may be used.

        Args:
            create: Creates it; is given the role's ARN.

        Raises:
            NotSeenInTimeError: Lambda could not assume the role in time.
        """
        return self.eventually(lambda: self.role.used_by(create), what="a new role to be usable")

    def warm_up(self, function: Function) -> None:
        """Invoke a function once, so that the next invocation has nothing to start."""
        self.clients.functions.invoke(FunctionName=function.name)

    def invocations(self, function: Function) -> list[Invocation]:
        """The invocations that a function has logged so far, in the order of their time."""
        return invocations_in(self.log_lines(function))

    def log_lines(self, function: Function) -> list[str]:
        """The lines that a function has logged so far."""
        logs = self.clients.logs
        try:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{function.name}"
            )
            return [event["message"] for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []  # it has logged nothing yet

    def allow(self, function: Function, service: str, source_arn: str) -> None:
        """Let a service invoke a function for one source."""
        self.clients.functions.add_permission(
            FunctionName=function.name,
            StatementId=f"probe-{service.partition('.')[0]}",
            Action="lambda:InvokeFunction",
            Principal=service,
            SourceArn=source_arn,
        )
