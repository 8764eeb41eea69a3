"""The whole examination, for one target."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.doctor import containers, credentials, docker, installation, machine, remains
from tidemark.doctor.finding import State
from tidemark.errors import TidemarkError
from tidemark.host.state import find_checkout, state_dir
from tidemark.targets.aws import AwsTarget
from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import Choice, choose
from tidemark.targets.compose_file import usual_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tidemark.doctor.finding import Finding

_IN_DOCKER = "localstack"


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, for one target.

    Attributes:
        target: The target that the problems are problems of.
        why: Why that one, or ``None`` when the caller said so.
        findings: One for each thing that was looked at.
    """

    target: str
    why: str | None
    findings: Sequence[Finding]

    @property
    def is_healthy(self) -> bool:
        """Whether nothing that the target needs is broken."""
        return all(finding.state is not State.PROBLEM for finding in self.findings)


def examine(target: str, environ: Mapping[str, str], *, with_aws: bool) -> Examination:
    """Examine this machine for a target.

    Args:
        target: The target, or `auto` for the one that `up` would take.
        environ: The environment.
        with_aws: Ask AWS whose the credentials are; nothing else leaves the machine.

    Raises:
        NotStartedError: There is no such target.
    """
    state = state_dir(environ)
    options = TargetOptions(state=state, endpoint_url=environ.get("ENDPOINT_URL"))
    choice = choose(target, options, environ)
    return Examination(
        choice.name, choice.why, list(_findings(choice, state, environ, with_aws=with_aws))
    )


def _findings(
    choice: Choice, state: Path, environ: Mapping[str, str], *, with_aws: bool
) -> Iterator[Finding]:
    checkout = find_checkout()
    yield installation.python()
    yield installation.checkout(checkout)
    yield from installation.extras({"deploy", choice.name}, is_checkout=checkout is not None)
    yield installation.node(is_checkout=checkout is not None)
    yield installation.cdk_cli(checkout)
    yield from docker.examine(environ, is_needed=choice.name == _IN_DOCKER)
    yield machine.loopback()
    usual = usual_port(environ)
    yield machine.localstack_port(usual, is_ours=_listens_on(usual, state))
    yield machine.disk("disk", state)
    yield machine.disk("temporary files", Path(tempfile.gettempdir()))
    yield machine.proxy(environ)
    yield from _aws(choice, state, environ, with_aws=with_aws)
    yield from remains.examine(state)
    yield from containers.find_orphans()


def _aws(
    choice: Choice, state: Path, environ: Mapping[str, str], *, with_aws: bool
) -> Iterator[Finding]:
    is_needed = choice.name == AwsTarget.name
    target = AwsTarget(TargetOptions(state=state))
    if is_needed:
        yield credentials.settings(target)
    else:
        yield from credentials.endpoints(environ)
    if with_aws:
        yield credentials.ask(target)
    if not (is_needed and with_aws):  # else AWS itself has said it
        yield credentials.present(environ, is_needed=is_needed)


def _listens_on(port: int, state: Path) -> bool:
    try:
        connection = remains.ask_once(_IN_DOCKER, TargetOptions(state=state))
    except TidemarkError:
        return False  # `remains` says why
    endpoint = "" if connection is None else connection.endpoint or ""
    return endpoint.endswith(f":{port}")
