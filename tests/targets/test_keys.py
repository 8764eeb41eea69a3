"""The embedded target's own key, and who has it."""

from __future__ import annotations

from importlib import metadata
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING

import pytest

from tests.api.servers import served
from tidemark.api.exchange import Answer, Headers, Request
from tidemark.errors import NotStartedError
from tidemark.host import processes
from tidemark.host.state import write_json
from tidemark.targets import emulators
from tidemark.targets.base import LostKeyError, TargetOptions
from tidemark.targets.choice import choose
from tidemark.targets.embedded import EmbeddedTarget
from tidemark.targets.endpoint import EndpointTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "of this target"
REFUSAL = b"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>"


def healthy_but_closed(request: Request) -> Answer:
    """What a target answers to whoever has no key."""
    is_health = request.url.endswith("/_ministack/health")
    if is_health:
        return Answer(200, Headers({}), b'{"version": "9.9"}')
    return Answer(403, Headers({}), REFUSAL)


@pytest.fixture
def url() -> Iterator[str]:
    with served(healthy_but_closed) as url:
        yield url


@pytest.fixture
def embedded(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> EmbeddedTarget:
    """An embedded target that runs."""
    monkeypatch.setattr(processes, "is_alive", lambda *_: True)
    port = int(url.rpartition(":")[2])
    write_json(tmp_path / "embedded/process.json", {"pid": 1, "port": port})
    return EmbeddedTarget(TargetOptions(state=tmp_path))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "embedded" / "key.json"
    write_json(path, {"secret_access_key": SECRET})
    return path


def test_who_has_the_state_folder_has_the_key_and_nobody_else(
    embedded: EmbeddedTarget, key: Path
) -> None:
    connection = embedded.find()

    assert connection is not None
    assert connection.credentials is not None
    assert connection.credentials.secret_access_key == SECRET
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"secret_access_key": ""}', b"\xff"])
def test_a_key_that_is_gone_is_said_with_the_way_out(
    embedded: EmbeddedTarget, key: Path, content: bytes | None
) -> None:
    key.unlink() if content is None else key.write_bytes(content)

    with pytest.raises(LostKeyError, match=r"gone or cannot be read .*`tidemark up` starts it an"):
        embedded.find()
    assert choose("auto", embedded.options, {}).name == "embedded"


def test_an_endpoint_of_somebodys_says_where_its_key_is(tmp_path: Path, url: str) -> None:
    target = EndpointTarget(TargetOptions(state=tmp_path, endpoint_url=url))

    with pytest.raises(NotStartedError, match=r"own keys only: run `eval \"\$\(tidemark env\)\"`"):
        target.start()


def test_a_run_names_the_ministack_that_answers_and_needs_none_installed(
    embedded: EmbeddedTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)

    assert embedded.versions() == {"ministack": "9.9"}
    monkeypatch.setattr(emulators, "health", lambda *_: None)
    assert embedded.versions() == {}
