"""Other callers of the API than the session's own: users and roles that a test makes."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from integration.site import Site
    from tidemark.api.client import Client


@dataclass(frozen=True)
class Role:
    """A role that anybody in the account may assume."""

    aws: Any
    arn: str
    unique_id: str

    def session(self, name: str, client: Client) -> Client:
        """A client that calls in a session of the role."""
        keys = self.aws.sts.assume_role(RoleArn=self.arn, RoleSessionName=name)["Credentials"]
        return _of(client, name, self.unique_id, keys)


@contextmanager
def user(site: Site, client: Client) -> Iterator[Client]:
    """A client that calls as a user of its own."""
    iam, name = site.aws.client("iam"), _name()
    unique_id = iam.create_user(UserName=name)["User"]["UserId"]
    key: Mapping[str, str] = {}
    try:
        key = iam.create_access_key(UserName=name)["AccessKey"]
        yield _of(client, name, unique_id, key)
    finally:
        if key:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)


@contextmanager
def role(site: Site) -> Iterator[Role]:
    """A role that can be assumed."""
    iam, name = site.aws.client("iam"), _name()
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{site.aws.connection.account}:root"},
            "Action": "sts:AssumeRole",
        },
    }
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    try:
        yield Role(site.aws, made["Arn"], made["RoleId"])
    finally:
        iam.delete_role(RoleName=name)


def _of(client: Client, name: str, principal: str, keys: Mapping[str, str]) -> Client:
    credentials = Credentials(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken")
    )
    session = client.for_session(f"{client.session.name}-{name}")
    return replace(session, credentials=credentials, principal=principal)


def _name() -> str:
    return f"tidemark-{uuid.uuid4().hex[:8]}"
