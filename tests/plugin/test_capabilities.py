"""A test that needs what the target lacks is skipped, and says what and where."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tidemark.testing.capabilities import CAPABILITIES, lacking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugin.sessions import Project

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


@pytest.mark.parametrize("name", ["embedded", "localstack", "endpoint"])
def test_what_a_target_lacks_is_a_capability(name: str) -> None:
    assert lacking(name, None) <= CAPABILITIES.keys()


@pytest.mark.parametrize(
    ("path", "name"), [("/_ministack/health", "embedded"), ("/_localstack/health", "localstack")]
)
def test_an_endpoint_lacks_what_the_emulator_behind_it_lacks(path: str, name: str) -> None:
    with answering(path) as endpoint:
        assert lacking("endpoint", endpoint) == lacking(name, None)
        assert lacking("endpoint", endpoint) != frozenset()


def test_an_unknown_endpoint_is_expected_to_do_all_that_aws_does() -> None:
    with answering("/nothing") as endpoint:
        assert lacking("endpoint", endpoint) == frozenset()


@contextmanager
def answering(path: str) -> Iterator[str]:
    """A server that knows one path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == path else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
