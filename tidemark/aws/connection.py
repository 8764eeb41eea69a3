"""Connections and clean environments: the one place that knows endpoints and credentials.

Nothing here inherits AWS settings by accident. A child process or client gets what its
target states, and the caller's ``AWS_*`` and ``CDK_*`` variables end here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DROPPED_PREFIXES = ("AWS_", "CDK_")
_ENDPOINT_PREFIX = "AWS_ENDPOINT_URL"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What requests are signed with. Never printed and never recorded."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


EMULATOR_CREDENTIALS = Credentials(access_key_id="test", secret_access_key="test")  # noqa: S106 -- emulators take any value; this one is their convention


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one target.

    Attributes:
        region: The region that every client uses.
        endpoint: One URL for every service, without a trailing slash; ``None`` means AWS.
        credentials: What to sign with; ``None`` leaves it to the AWS default chain.
        ca_bundle: Certificates to trust instead of the system's, for an https endpoint.
        account: The account that the target is expected to answer for; ``None`` when unknown.
    """

    region: str
    endpoint: str | None = None
    credentials: Credentials | None = None
    ca_bundle: Path | None = None
    account: str | None = None


def clean_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without AWS and CDK settings, and loopback past any proxy.

    Args:
        base: The environment to start from; the process's own when absent.
    """
    source = os.environ if base is None else base
    kept = {key: value for key, value in source.items() if not key.startswith(_DROPPED_PREFIXES)}
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host.strip() for host in kept.get(name, "").split(",") if host.strip()]
        kept[name] = ",".join([*hosts, *(host for host in _LOOPBACK if host not in hosts)])
    return kept


def endpoint_variables(base: Mapping[str, str] | None = None) -> list[str]:
    """The names of the variables that send AWS calls elsewhere, as far as they are set."""
    source = os.environ if base is None else base
    return sorted(key for key in source if key.startswith(_ENDPOINT_PREFIX) and source[key])


def _of_the_caller(base: Mapping[str, str] | None) -> dict[str, str]:
    """The caller's own AWS settings: credentials in any form, and how to find them."""
    source = os.environ if base is None else base
    return {
        key: value
        for key, value in source.items()
        if key.startswith("AWS_") and not key.startswith(_ENDPOINT_PREFIX)
    }


def for_children(connection: Connection, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child process that talks to a target.

    On AWS, where a connection has no endpoint, the caller's credentials are what counts: their
    ``AWS_*`` variables pass, except those that send calls elsewhere.

    Args:
        connection: The target's.
        base: The environment to start from; the process's own when absent.
    """
    env = clean_environment(base)
    if connection.endpoint is None:
        env |= _of_the_caller(base)
        env["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"  # nor do those of a profile count
    env["AWS_REGION"] = env["AWS_DEFAULT_REGION"] = connection.region
    if connection.endpoint is not None:
        env["AWS_EC2_METADATA_DISABLED"] = "true"
        env["AWS_ENDPOINT_URL"] = env["AWS_ENDPOINT_URL_S3"] = connection.endpoint
        env["AWS_CONFIG_FILE"] = env["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    if connection.credentials is not None:
        env["AWS_ACCESS_KEY_ID"] = connection.credentials.access_key_id
        env["AWS_SECRET_ACCESS_KEY"] = connection.credentials.secret_access_key
        if connection.credentials.session_token is not None:
            env["AWS_SESSION_TOKEN"] = connection.credentials.session_token
    if connection.ca_bundle is not None:
        env["AWS_CA_BUNDLE"] = env["NODE_EXTRA_CA_CERTS"] = str(connection.ca_bundle)
    return env
