"""A test that needs what the target lacks is skipped, and says what and where."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.probe.asking import row_result
from tidemark.errors import ExitCode
from tidemark.probe.observation import Comparison
from tidemark.testing.capabilities import CAPABILITIES, MEASURED, Capabilities, look_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance.plugin.sessions import Project
    from tidemark.probe.result import RowResult

NEEDY = """
@pytest.mark.needs("request-validators")
def test_validators(): pass
"""


def test_a_missing_capability_is_a_skip_that_names_it_and_the_target(project: Project) -> None:
    session = project.run(NEEDY)

    assert session.exit_code == 0
    assert "1 skipped" in session.output
    assert "the embedded target lacks request-validators" in session.output


def test_a_capability_that_the_target_has_lets_the_test_run(project: Project) -> None:
    session = project.run(NEEDY, "--target", "localstack")

    assert "1 passed" in session.output


def test_a_capability_that_nobody_knows_is_an_error(project: Project) -> None:
    session = project.run('@pytest.mark.needs("wings")\ndef test_flight(): pass')

    assert session.exit_code == pytest.ExitCode.TESTS_FAILED
    assert "There is no capability 'wings'" in session.output


def test_what_a_target_lacks_is_a_capability() -> None:
    assert all(lacking < CAPABILITIES.keys() for lacking in MEASURED.values())


def test_aws_can_do_all_of_it() -> None:
    assert look_up("aws", None) == frozenset()


@pytest.mark.parametrize(
    ("path", "target", "version"),
    [
        ("/_ministack/health", "embedded", "1.5.33"),
        ("/_localstack/health", "localstack", "4.14.0"),
    ],
)
def test_an_endpoint_lacks_what_the_emulator_behind_it_lacks(
    path: str, target: str, version: str
) -> None:
    with answering(path, version) as endpoint:
        assert look_up("endpoint", endpoint) == MEASURED[target, version] != frozenset()


def test_nobody_knows_beforehand_what_another_version_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering("/_localstack/health", "2026.11.0") as endpoint:
        assert look_up("endpoint", endpoint) is None
    with answering("/nothing", "1.5.33") as endpoint:
        assert look_up("endpoint", endpoint) is None
    monkeypatch.setenv("LOCALSTACK_IMAGE", "acme/localstack:9")
    assert look_up("localstack", None) is None


def test_what_nobody_knows_is_probed_once_when_it_is_asked_for() -> None:
    asked: list[str] = []

    def measure(capability: str) -> RowResult:
        asked.append(capability)
        comparison = Comparison.NOT_SEEN if capability == "schedules" else Comparison.SAME
        return row_result("row", comparison, observed="no sign of it", capability=capability)

    target = Capabilities("localstack", None, measure)

    assert "signatures" in target
    assert "schedules" not in target
    assert "schedules" not in target
    assert asked == ["signatures", "schedules"]
    assert target.why_not("schedules") == (
        "the localstack target lacks schedules: EventBridge schedules fire "
        "(probed now: no sign of it)"
    )


def test_a_session_on_an_unknown_version_probes_what_a_test_needs(project: Project) -> None:
    """It cannot get that far here; that it begins by deploying shows that it means to."""
    with answering("/_localstack/health", "2026.11.0") as endpoint:
        session = project.run(NEEDY, "--tidemark-endpoint", endpoint, "--tidemark-app", "true")

    assert session.exit_code == ExitCode.FAILED
    assert f"No AWS answers at {endpoint}" in session.output


@contextmanager
def answering(path: str, version: str) -> Iterator[str]:
    """A server that knows one path, and says its version there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == path else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"version": version}).encode())

        def do_POST(self) -> None:
            self.send_error(501)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
