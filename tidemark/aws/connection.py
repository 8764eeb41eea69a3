"""Connections and clean environments: the one place that knows endpoints and credentials.

Nothing here inherits AWS settings by accident. A child process or client gets what its
target states. The caller's ``AWS_*`` and ``CDK_*`` variables end here, and the other places where
programs look for credentials, the shared files and the machine's own role, are shut.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tidemark.aws.caller import Caller

# The CDK takes AMAZON_* where there is no AWS_*.
_DROPPED_PREFIXES = ("AMAZON_", "AWS_", "CDK_")
_ENDPOINT_PREFIX = "AWS_ENDPOINT_URL"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Where programs look for credentials besides the variables that are dropped.
_SHUT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


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
        credentials: What to sign with; on AWS ``None``, for the caller's.
        ca_bundle: Certificates to trust instead of the system's.
        account: The account that the target is expected to answer for; ``None`` when unknown.
        caller: Who calls AWS, as its target found and checked it; nobody else makes one, and
            without one there are no clients of AWS.
    """

    region: str
    endpoint: str | None = None
    credentials: Credentials | None = None
    ca_bundle: Path | None = None
    account: str | None = None
    caller: Caller | None = field(default=None, repr=False, compare=False)


def clean_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The caller's environment without AWS and CDK settings, and loopback past any proxy.

    Who runs in it finds no credentials, wherever it looks.

    Args:
        base: The environment to start from; the process's own when absent.
    """
    source = os.environ if base is None else base
    kept = {key: value for key, value in source.items() if not key.startswith(_DROPPED_PREFIXES)}
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host.strip() for host in kept.get(name, "").split(",") if host.strip()]
        kept[name] = ",".join([*hosts, *(host for host in _LOOPBACK if host not in hosts)])
    return kept | _SHUT


def endpoint_variables(base: Mapping[str, str] | None = None) -> list[str]:
    """The names of the variables that send AWS calls elsewhere, as far as they are set."""
    source = os.environ if base is None else base
    return sorted(key for key in source if key.startswith(_ENDPOINT_PREFIX) and source[key])


def keys_for(endpoint: str | None, base: Mapping[str, str] | None = None) -> Credentials:
    """The keys of an emulator that somebody else runs: the convention, unless it has its own.

    Its own stand in the environment as `tidemark env` prints them: beside its very endpoint and
    under the conventional id, so that the keys of an account are never taken for them.

    Args:
        endpoint: Where the emulator answers.
        base: The environment; the process's own when absent.
    """
    source = os.environ if base is None else base
    shared = EMULATOR_CREDENTIALS
    secret = source.get("AWS_SECRET_ACCESS_KEY")
    is_meant = (source.get(_ENDPOINT_PREFIX), source.get("AWS_ACCESS_KEY_ID")) == (
        endpoint,
        shared.access_key_id,
    )
    return replace(shared, secret_access_key=secret) if is_meant and secret else shared


def for_children(connection: Connection, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child process that talks to a target, by keys that are named there.

    For AWS they are a snapshot of the caller's, and no other source is left to choose from.

    Args:
        connection: The target's.
        base: The environment to start from; the process's own when absent.

    Raises:
        NotStartedError: The credentials are too short-lived, or no longer those that were shown.
    """
    return clean_environment(base) | variables(connection)


def variables(connection: Connection) -> dict[str, str]:
    """The variables by which programs reach a target: endpoint, region, keys, certificates.

    Args:
        connection: The target's.

    Raises:
        NotStartedError: See :func:`for_children`.
    """
    env = {"AWS_REGION": connection.region, "AWS_DEFAULT_REGION": connection.region}
    credentials = connection.credentials
    if connection.caller is not None:
        credentials = credentials or connection.caller.snapshot()
        env = {**connection.caller.settings, **env}
    if connection.endpoint is not None:
        env["AWS_ENDPOINT_URL"] = env["AWS_ENDPOINT_URL_S3"] = connection.endpoint
    if credentials is not None:
        env["AWS_ACCESS_KEY_ID"] = credentials.access_key_id
        env["AWS_SECRET_ACCESS_KEY"] = credentials.secret_access_key
        if credentials.session_token is not None:
            env["AWS_SESSION_TOKEN"] = credentials.session_token
    if connection.ca_bundle is not None:
        env["AWS_CA_BUNDLE"] = env["NODE_EXTRA_CA_CERTS"] = str(connection.ca_bundle)
    return env


def for_ours(connection: Connection, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a program of ours, which goes to AWS through the target's own checks.

    It may run longer than any snapshot lasts: on AWS it has the caller's own settings, but for
    those that send calls elsewhere, and finds, checks and renews credentials itself.

    Args:
        connection: The target's.
        base: The environment to start from; the process's own when absent.
    """
    if connection.caller is None:
        return for_children(connection, base)
    source = os.environ if base is None else base
    theirs = {
        key: value
        for key, value in source.items()
        if key.startswith("AWS_") and not key.startswith(_ENDPOINT_PREFIX)
    }
    env = {key: value for key, value in clean_environment(base).items() if key not in _SHUT}
    region = {"AWS_REGION": connection.region, "AWS_DEFAULT_REGION": connection.region}
    return env | theirs | region
