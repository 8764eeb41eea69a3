"""The apps on a session's target: one process deploys each, and all of the session use it.

Under pytest-xdist several processes want the same app at once. The first takes a lock and deploys
it; the others find in a file what came of that.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock

from tidemark.deploy.assembly import Assembly
from tidemark.errors import ExitCode, NotStartedError, TidemarkError
from tidemark.host import failures
from tidemark.host.deployment import Deployment
from tidemark.host.state import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class DeployedApp:
    """An app on the target.

    Attributes:
        name: What its stack was told to be called.
        deployments: Its stacks, each after those that it depends on.
        wanted: Which of them the session was told that its tests are about.
        assembly: What they were made from, if that was made here.
    """

    name: str
    deployments: tuple[Deployment, ...]
    wanted: str | None = None
    assembly: Assembly | None = None

    @property
    def by_name(self) -> dict[str, Deployment]:
        """Its stacks by name."""
        return {one.stack_name: one for one in self.deployments}

    @property
    def deployment(self) -> Deployment:
        """The stack that the tests are about: the named one, or the only one with an API.

        Raises:
            NotStartedError: Nothing says which one.
        """
        found = [
            one
            for one in self.deployments
            if one.stack_name in {self.wanted, f"{self.name}-{self.wanted}"}
            or (self.wanted is None and (one.api_url or len(self.deployments) == 1))
        ]
        if len(found) == 1:
            return found[0]
        names = ", ".join(self.by_name)
        if self.wanted is not None:
            raise NotStartedError(f"The CDK app has no stack {self.wanted}: it has {names}.")
        raise NotStartedError(
            f"The CDK app has several stacks ({names}), and not just one of them outputs RestApiId "
            "and ApiStage: say with --tidemark-stack which one `deployment` is, or ask for "
            "`deployments`."
        )

    @property
    def document(self) -> dict[str, Any]:
        """It in plain values."""
        return {
            "name": self.name,
            "deployments": [asdict(one) for one in self.deployments],
            "wanted": self.wanted,
            "assembly": None if self.assembly is None else str(self.assembly.folder),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The app that such values are of."""
        folder = document["assembly"]
        return cls(
            document["name"],
            tuple(Deployment(**one) for one in document["deployments"]),
            document["wanted"],
            None if folder is None else Assembly.read(Path(folder)),
        )


class NotDeployedError(TidemarkError):
    """An app could not be deployed, whichever process of the session tried.

    Args:
        sentence: Why.
        exit_code: The code to exit with.
    """

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = ExitCode(exit_code)


class Apps:
    """What was deployed in a session, or could not be.

    Args:
        folder: A folder of the session's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, DeployedApp] = {}

    def get(self, contexts: Mapping[str, str], deploy: Callable[[], DeployedApp]) -> DeployedApp:
        """The app with these context values: deployed now, if no process tried it yet.

        Raises:
            TidemarkError: It cannot be deployed, now or when it was tried.
        """
        wanted = hashlib.sha256(repr(sorted(contexts.items())).encode()).hexdigest()
        path = self._folder / f"{wanted[:16]}.json"
        if path not in self._known:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / "lock"):
                self._known[path] = self._read(path) if path.exists() else _make(path, deploy)
        return self._known[path]

    def all(self) -> list[DeployedApp]:
        """The apps that are deployed."""
        documents = map(read_json, self._folder.glob("*.json"))
        return [DeployedApp.read(one) for one in documents if one and "name" in one]

    def failures(self) -> list[NotDeployedError]:
        """Why there are apps that could not be deployed."""
        documents = map(read_json, self._folder.glob("*.json"))
        return [NotDeployedError(**one) for one in documents if one and "sentence" in one]

    def _read(self, path: Path) -> DeployedApp:
        document = read_json(path) or {}
        if "sentence" in document:
            raise NotDeployedError(**document)
        return DeployedApp.read(document)


def _make(path: Path, deploy: Callable[[], DeployedApp]) -> DeployedApp:
    try:
        app = deploy()
    except Exception as error:
        known = failures.known(error) or TidemarkError(repr(error))
        sentence = "\n".join(failures.lines(known))
        write_json(path, {"sentence": sentence, "exit_code": int(known.exit_code)})
        raise
    write_json(path, app.document)
    return app
