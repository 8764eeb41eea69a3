"""A Docker engine that is none: it answers docker's client as an engine would, and keeps notes."""

from __future__ import annotations

import json
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.api.servers import served
from tidemark.api.exchange import Answer, Headers
from tidemark.targets.compose_file import image_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pytest

    from tidemark.api.exchange import Request

IMAGE = image_of({})
RUNNING = {"Status": "running", "Running": True, "ExitCode": 0, "OOMKilled": False}
CHOSEN_PORT = 45662
"""The port that the engine chooses, where the choice is its own."""


def exited(code: int, *, out_of_memory: bool = False) -> Mapping[str, Any]:
    """The state of a container that has ended."""
    return {"Status": "exited", "ExitCode": code, "OOMKilled": out_of_memory}


@dataclass
class Container:
    """A container that was created."""

    name: str
    created_as: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=lambda: {"Status": "created"})

    @property
    def image(self) -> str:
        """Its image's name."""
        return str(self.created_as["Image"])

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that it bears."""
        labels: Mapping[str, str] = self.created_as["Labels"]
        return labels


@dataclass
class FakeEngine:
    """Images, containers, and what goes wrong with them.

    Attributes:
        images: The images that are here.
        pull_says: What the engine says of a pull, line by line, or the status that it ends with.
        start_says: The status and words that starting a container ends with.
        starts_as: The state of a container once it was started.
        log: What containers print.
        is_gone: Whether it answers nothing any more.
        keeps: Whether it refuses to remove a container.
        on_create: Is called before a container is created.
        containers: What was created, and not removed.
        created: The same, and what was removed.
        calls: What was done to containers, in order.
    """

    images: set[str] = field(default_factory=lambda: {IMAGE})
    pull_says: tuple[int, str] | list[Mapping[str, Any]] = (404, "manifest unknown")
    start_says: tuple[int, str] = (204, "")
    starts_as: Mapping[str, Any] = field(default_factory=lambda: RUNNING)
    log: str = ""
    is_gone: bool = False
    keeps: Callable[[Container], bool] = lambda _: False
    on_create: Callable[[], None] = lambda: None
    containers: dict[str, Container] = field(default_factory=dict)
    created: list[Container] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        """Answer one call of the engine's API."""
        parts = urlsplit(request.url)
        query = {name: one[0] for name, one in parse_qs(parts.query).items()}
        path = [unquote(part) for part in parts.path.split("/")[1:]]
        if path[0].startswith("v1."):
            path.pop(0)
        if self.is_gone:
            return _said(500, "the engine is shutting down")
        match request.method, *path:
            case "GET", "version":
                answer = _json({"ApiVersion": "1.44", "Version": "27.0"})
            case "POST", "images", "create":
                answer = self._pull(f"{query['fromImage']}:{query['tag']}")
            case "GET", "images", *name, "json":
                answer = self._image("/".join(name))
            case "POST", "containers", "create":
                self.on_create()
                answer = self._create(query["name"], json.loads(request.body))
            case "GET", "containers", "json":
                answer = self._list(json.loads(query.get("filters", "{}")))
            case _, "containers", name, *verb:
                answer = self._of_container(request.method, name, *verb)
            case _:
                answer = _said(404, f"no such call: {request.method} {parts.path}")
        return answer

    def _pull(self, image: str) -> Answer:
        if isinstance(self.pull_says, tuple):
            return _said(*self.pull_says)
        self.images.add(image)
        chunks = [json.dumps(line).encode() for line in self.pull_says]
        body = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in [*chunks, b""])
        return Answer(200, Headers({"transfer-encoding": "chunked"}), body)

    def _image(self, name: str) -> Answer:
        if name not in self.images:
            return _said(404, f"No such image: {name}")
        return _json({"Id": f"sha256:of-{name}", "RepoTags": [name]})

    def _create(self, name: str, how: Mapping[str, Any]) -> Answer:
        self.add(name, how)
        return _json({"Id": name, "Warnings": []}, 201)

    def add(self, name: str, how: Mapping[str, Any]) -> Container:
        """Create a container, as somebody else does."""
        container = self.containers[name] = Container(name, how)
        self.created.append(container)
        return container

    def _list(self, filters: Mapping[str, list[str]]) -> Answer:
        def is_meant(one: Container) -> bool:
            labels = one.labels.keys() | {f"{key}={value}" for key, value in one.labels.items()}
            return set(filters.get("label", [])) <= labels

        return _json(
            [
                {
                    "Id": one.name,
                    "Names": [f"/{one.name}"],
                    "Labels": one.labels,
                    "State": one.state["Status"],
                }
                for one in self.containers.values()
                if is_meant(one)
            ]
        )

    def _of_container(self, method: str, name: str, verb: str = "") -> Answer:
        container = self.containers.get(name)
        if container is None:
            return _said(404, f"No such container: {name}")
        if verb == "json":
            return _json(self._shown(container))
        if verb == "logs":
            text = self.log.encode()
            return Answer(200, Headers({}), struct.pack(">BxxxL", 1, len(text)) + text)
        self.calls.append(f"{verb or method.lower()} {name}")
        if verb == "start":
            container.state = self.starts_as
            return _said(*self.start_says) if self.start_says[0] != 204 else Answer(204)
        if method == "DELETE" and self.keeps(container):
            return _said(500, "device or resource busy")
        if method == "DELETE":
            del self.containers[name]
        return Answer(204)

    def _shown(self, container: Container) -> Mapping[str, Any]:
        wanted = container.created_as.get("HostConfig", {}).get("PortBindings", {})
        bound = {
            inner: [
                {"HostIp": one["HostIp"], "HostPort": one["HostPort"] or str(CHOSEN_PORT)}
                for one in places
            ]
            for inner, places in wanted.items()
        }
        return {
            "Id": container.name,
            "Name": f"/{container.name}",
            "Image": f"sha256:of-{container.image}",
            "State": container.state,
            "Config": {"Image": container.image, "Labels": container.labels, "Tty": False},
            "HostConfig": {"LogConfig": {"Type": "json-file"}},
            "NetworkSettings": {"Ports": bound if container.state.get("Running") else {}},
        }


@contextmanager
def in_use(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let docker's client find an engine; what the caller's shell says of LocalStack is not."""
    names = ("IMAGE", "AUTH_TOKEN", "PORT")
    for name in ("DOCKER_CONTEXT", *(f"LOCALSTACK_{one}" for one in names)):
        monkeypatch.delenv(name, raising=False)
    with served(engine) as endpoint:
        monkeypatch.setenv("DOCKER_HOST", endpoint.replace("http", "tcp"))
        yield


def _json(document: object, status: int = 200) -> Answer:
    return Answer(
        status, Headers({"content-type": "application/json"}), json.dumps(document).encode()
    )


def _said(status: int, words: str) -> Answer:
    return _json({"message": words}, status)
