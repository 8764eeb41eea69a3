"""Stacks in states that an earlier run may have left."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tidemark.aws import stacks
from tidemark.aws.connection import Connection
from tidemark.aws.stacks import LiveStack
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients


class CloudFormation:
    """Shows one status after the other, the last one again and again."""

    def __init__(self, *statuses: str, template: dict[str, Any] | None = None) -> None:
        self._statuses = list(statuses)
        self._template = template

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 -- boto3's name
        assert StackName == "Tidemark"
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        tags = [{"Key": "project", "Value": "tidemark"}]
        return {"Stacks": [{"StackStatus": status, "Tags": tags}]}

    def get_template(self, **_: str) -> dict[str, Any]:
        return {"TemplateBody": self._template} if self._template else {}


def clients(cloudformation: CloudFormation) -> AwsClients:
    connection = Connection(region="us-east-1", endpoint="http://127.0.0.1:4000")
    return cast("AwsClients", SimpleNamespace(cloudformation=cloudformation, connection=connection))


def test_a_change_that_somebody_began_is_waited_for() -> None:
    changing = CloudFormation("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE")

    live = stacks.await_settled(clients(changing), "Tidemark")

    assert live is not None
    assert live.status == "CREATE_COMPLETE"
    assert live.tags == {"project": "tidemark"}


def test_a_change_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "_SETTLED_WITHIN_S", 0.0)
    changing = clients(CloudFormation("UPDATE_IN_PROGRESS"))

    with pytest.raises(TidemarkError, match=r"still being changed.*UPDATE_IN_PROGRESS"):
        stacks.await_settled(changing, "Tidemark")


@pytest.mark.parametrize(
    ("status", "is_settled", "is_changing", "is_a_failed_creation"),
    [
        ("CREATE_COMPLETE", True, False, False),
        ("UPDATE_COMPLETE", True, False, False),
        ("UPDATE_ROLLBACK_COMPLETE", False, False, False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False, True, False),
        ("DELETE_IN_PROGRESS", False, True, False),
        ("REVIEW_IN_PROGRESS", False, False, True),
        ("ROLLBACK_COMPLETE", False, False, True),
        ("CREATE_FAILED", False, False, True),
    ],
)
def test_a_status_says_what_can_be_done(
    status: str,
    is_settled: bool,  # noqa: FBT001 -- a row of the table
    is_changing: bool,  # noqa: FBT001 -- likewise
    is_a_failed_creation: bool,  # noqa: FBT001 -- likewise
) -> None:
    live = LiveStack(status, {})

    assert live.is_settled is is_settled
    assert live.is_changing is is_changing
    assert live.is_a_failed_creation is is_a_failed_creation


def test_a_stack_of_which_there_is_but_a_change_set_has_no_template() -> None:
    assert stacks.live_template(clients(CloudFormation("REVIEW_IN_PROGRESS")), "Tidemark") == {}


def test_a_template_comes_as_an_object_where_the_target_says_so() -> None:
    body: dict[str, Any] = {"Resources": {}}
    as_object = CloudFormation("CREATE_COMPLETE", template=body)

    assert stacks.live_template(clients(as_object), "Tidemark") == body
