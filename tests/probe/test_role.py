"""The role of the probe's functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest
from botocore.exceptions import ClientError

from tests.probe.asking import DEPLOYMENT
from tidemark.errors import TidemarkError
from tidemark.probe.bench import Bench
from tidemark.probe.observation import NotSeenInTimeError
from tidemark.probe.role import Role

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients


class FakeIam:
    def __init__(self) -> None:
        self.roles: dict[str, str] = {}
        self.policies: dict[str, str] = {}

    def create_role(self, **arguments: Any) -> dict[str, Any]:
        name = arguments["RoleName"]
        assert name not in self.roles
        self.roles[name] = arguments["AssumeRolePolicyDocument"]
        return {"Role": {"Arn": f"arn:{name}"}}

    def put_role_policy(self, **arguments: Any) -> None:
        self.policies[arguments["RoleName"]] = arguments["PolicyDocument"]

    def delete_role_policy(self, **arguments: Any) -> None:
        del self.policies[arguments["RoleName"]]

    def delete_role(self, **arguments: Any) -> None:
        assert arguments["RoleName"] not in self.policies
        del self.roles[arguments["RoleName"]]


class FakeClients:
    def __init__(self) -> None:
        self.iam = FakeIam()

    def client(self, service: str) -> FakeIam:
        assert service == "iam"
        return self.iam


def _role(clients: FakeClients) -> Role:
    return Role(cast("AwsClients", clients), "tidemark-probe-1", "tidemark-probe")


def _bench(clients: FakeClients, within_s: float) -> Bench:
    its_clients = cast("AwsClients", clients)
    return Bench(its_clients, DEPLOYMENT, _role(clients), within_s=within_s)


def _listed(one: str | list[str]) -> list[str]:
    return [one] if isinstance(one, str) else one


def _refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction")


def test_it_is_made_once_at_its_first_use_and_removed_with_its_policy() -> None:
    clients = FakeClients()
    role = _role(clients)
    assert clients.iam.roles == {}

    assert [role.used_by(str.upper) for _ in range(2)] == ["ARN:TIDEMARK-PROBE-1"] * 2

    assert role.leftovers.remove() == []
    assert (clients.iam.roles, clients.iam.policies) == ({}, {})


def test_it_may_touch_nothing_but_the_probes_own() -> None:
    clients = FakeClients()
    _role(clients).used_by(str.upper)

    statements = json.loads(clients.iam.policies["tidemark-probe-1"])["Statement"]

    resources = [one["Resource"] for one in statements]
    assert len(resources) == 2
    assert all("tidemark-probe-*" in arn for one in resources for arn in _listed(one))


TOO_NEW = _refused("InvalidParameterValueException", "cannot be assumed by Lambda")


@pytest.mark.parametrize(
    "said", [TOO_NEW, TidemarkError("The stack was not created: cannot be assumed by Lambda.")]
)
def test_it_is_waited_for_while_lambda_cannot_assume_it(said: Exception) -> None:
    answers = iter([said])

    def create(arn: str) -> str:
        for error in answers:
            raise error
        return arn

    assert _bench(FakeClients(), 10).with_role(create) == "arn:tidemark-probe-1"


def test_a_role_that_takes_too_long_is_not_seen() -> None:
    def create(_: str) -> NoReturn:
        raise TOO_NEW

    with pytest.raises(NotSeenInTimeError, match="Lambda cannot assume a new role"):
        _bench(FakeClients(), 0).with_role(create)


def test_any_other_refusal_counts_at_once() -> None:
    def create(_: str) -> NoReturn:
        raise _refused("InvalidParameterValueException", "no such runtime")

    with pytest.raises(ClientError, match="no such runtime"):
        _bench(FakeClients(), 60).with_role(create)
