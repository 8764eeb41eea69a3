"""One deployed stack, and what is known of it here, which the other verbs act on."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Self

from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host.state import (
    STATE_DIR_VARIABLE,
    find_checkout,
    read_json,
    state_dir,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FOLDER = "deployments"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack.

    Attributes:
        target: The name of the target it is on.
        endpoint: The target's endpoint without a trailing slash; ``None`` on AWS.
        region: The region it is in.
        stack_name: The CloudFormation stack's name.
        api_url: The API's base URL without a trailing slash; ``api_url + "/accounts"`` works.
            Empty for a stack that does not output ``RestApiId`` and ``ApiStage``.
        template_digest: SHA-256 of the deployed template's canonical JSON, in hex.
        outputs: The CloudFormation outputs by key.
        settings: What else the target needs to be reached again, such as the path of a CA
            bundle or of a credentials file. Never a secret.
    """

    target: str
    endpoint: str | None
    region: str
    stack_name: str
    api_url: str
    template_digest: str
    outputs: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def wiring(self) -> str:
        """How events travel from the write side to the read side."""
        return self.outputs["Wiring"]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a known deployment.

        Raises:
            TidemarkError: The file is absent, torn or of another shape.
        """
        document = read_json(path)
        try:
            return cls(**document) if document else cls._unreadable(path)
        except TypeError:
            return cls._unreadable(path)

    @classmethod
    def _unreadable(cls, path: Path) -> Self:
        raise TidemarkError(
            f"{path} is no known deployment: run `tidemark up`, which writes it anew."
        )

    def save(self, folder: Path | None = None) -> Path:
        """Write down that it is there, and return where."""
        path = path_of(self.target, self.stack_name, folder)
        write_json(path, asdict(self))
        return path

    def forget(self, folder: Path | None = None) -> None:
        """Know of it no more."""
        path_of(self.target, self.stack_name, folder).unlink(missing_ok=True)


def path_of(target: str, stack_name: str, folder: Path | None = None) -> Path:
    """Where it is written what is known of the deployment of a stack on a target."""
    return (folder or state_dir()) / _FOLDER / f"{target}.{stack_name}.json"


def paths(folder: Path | None = None) -> list[Path]:
    """The files of all known deployments, readable or not."""
    return sorted(((folder or state_dir()) / _FOLDER).glob("*.json"))


def known(folder: Path | None = None) -> list[Deployment]:
    """Every readable known deployment, by file name; unreadable ones are passed over."""
    found = []
    for path in paths(folder):
        try:
            found.append(Deployment.load(path))
        except TidemarkError:
            continue  # nothing is lost: `up` finds the stack again and writes it down anew
    return found


def select(
    target: str | None = None, stack_name: str | None = None, folder: Path | None = None
) -> Deployment:
    """The one known deployment that a verb acts on.

    Raises:
        NotStartedError: None is known, or several are and the arguments do not choose one.
    """
    candidates = [
        deployment
        for deployment in known(folder)
        if target in (None, deployment.target) and stack_name in (None, deployment.stack_name)
    ]
    if len(candidates) == 1:
        return candidates[0]
    wanted = "".join(
        [f" on {target}" if target else "", f" named {stack_name}" if stack_name else ""]
    )
    if not candidates:
        at = folder or state_dir()
        if find_checkout() is not None:
            raise NotStartedError(
                f"No deployment{wanted} is known in {at}: run `tidemark up` first."
            )
        raise NotStartedError(
            f"No deployment{wanted} is known in {at}: go where `tidemark up` was run, or name its "
            f"state folder in {STATE_DIR_VARIABLE}."
        )
    names = ", ".join(f"{one.stack_name} on {one.target}" for one in candidates)
    raise NotStartedError(
        f"Several deployments are known ({names}): choose with --target and --stack-name."
    )


def check_stack_name(name: str) -> str:
    """The name, if CloudFormation takes it.

    Raises:
        NotStartedError: It does not.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", name):
        raise NotStartedError(
            f"The stack name {name!r} will not do: letters, digits and hyphens, beginning with a "
            "letter, at most 128."
        )
    return name
