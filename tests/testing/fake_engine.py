"""A Docker engine that is none: it answers docker's client as an engine would, and keeps notes."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tidemark.api.exchange import Answer, Headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.api.exchange import Request

RUNNING = {"Status": "running", "Running": True, "ExitCode": 0, "OOMKilled": False}


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


@dataclass
class FakeEngine:
    """Images, containers, and what goes wrong with them.

    Attributes:
        images: The images that are here.
        host_ports: Where a container of an image publishes its ports.
        pull_says: The status and words that a pull ends with.
        start_says: The same for starting a container of an image.
        starts_as: The state of a container of an image once it was started.
        log: What containers print.
        is_gone: Whether it answers nothing any more.
        containers: What was created, and not removed.
        created: The same, and what was removed.
    """

    images: set[str]
    host_ports: Mapping[str, int] = field(default_factory=dict)
    pull_says: tuple[int, str] = (404, "manifest unknown")
    start_says: dict[str, tuple[int, str]] = field(default_factory=dict)
    starts_as: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    log: str = ""
    is_gone: bool = False
    containers: dict[str, Container] = field(default_factory=dict)
    created: list[Container] = field(default_factory=list)

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
                answer = _said(*self.pull_says)
            case "GET", "images", *name, "json":
                answer = self._image("/".join(name))
            case "POST", "containers", "create":
                answer = self._create(query["name"], json.loads(request.body))
            case "GET", "containers", "json":
                answer = self._list(json.loads(query.get("filters", "{}")))
            case _, "containers", name, *verb:
                answer = self._of_container(request.method, name, *verb)
            case _:
                answer = _said(404, f"no such call: {request.method} {parts.path}")
        return answer

    def _image(self, name: str) -> Answer:
        if name not in self.images:
            return _said(404, f"No such image: {name}")
        return _json({"Id": f"sha256:{name}", "RepoTags": [name]})

    def _create(self, name: str, how: Mapping[str, Any]) -> Answer:
        container = Container(name, how)
        self.containers[name] = container
        self.created.append(container)
        return _json({"Id": name, "Warnings": []}, 201)

    def _list(self, filters: Mapping[str, list[str]]) -> Answer:
        def is_meant(one: Container) -> bool:
            labels = {f"{key}={value}" for key, value in one.created_as["Labels"].items()}
            names = [pattern.strip("^/$") for pattern in filters.get("name", [])]
            return (
                all(name == one.name for name in names) and set(filters.get("label", [])) <= labels
            )

        return _json([{"Id": one.name} for one in self.containers.values() if is_meant(one)])

    def _of_container(self, method: str, name: str, verb: str = "") -> Answer:
        container = self.containers.get(name)
        if container is None:
            return _said(404, f"No such container: {name}")
        if verb == "start":
            code, words = self.start_says.get(container.image, (204, ""))
            if code != 204:
                return _said(code, words)
            container.state = self.starts_as.get(container.image, RUNNING)
        if verb == "json":
            return _json(self._shown(container))
        if verb == "logs":
            text = self.log.encode()
            return Answer(200, Headers({}), struct.pack(">BxxxL", 1, len(text)) + text)
        if method == "DELETE":
            del self.containers[name]
        return Answer(204)

    def _shown(self, container: Container) -> Mapping[str, Any]:
        port = self.host_ports.get(container.image)
        bound = [{"HostIp": "127.0.0.1", "HostPort": str(port)}]
        exposed = container.created_as.get("ExposedPorts", {})
        is_bound = port is not None and container.state["Status"] == "running"
        return {
            "Id": container.name,
            "Name": f"/{container.name}",
            "Image": container.image,
            "State": container.state,
            "Config": {"Labels": container.created_as["Labels"], "Tty": False},
            "HostConfig": {"LogConfig": {"Type": "json-file"}},
            "NetworkSettings": {"Ports": dict.fromkeys(exposed, bound) if is_bound else {}},
        }


def _json(document: object, status: int = 200) -> Answer:
    return Answer(
        status, Headers({"content-type": "application/json"}), json.dumps(document).encode()
    )


def _said(status: int, words: str) -> Answer:
    return _json({"message": words}, status)
