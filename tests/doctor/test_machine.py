"""Ports, disk space and proxies."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tidemark.doctor import machine
from tidemark.doctor.finding import State
from tidemark.host import ports

if TYPE_CHECKING:
    from pathlib import Path


def test_a_machine_where_nothing_can_listen_has_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    assert machine.loopback().state is State.OK
    monkeypatch.setattr(ports, "choose", refuse)
    finding = machine.loopback()

    assert finding.state is State.PROBLEM
    assert "Operation not permitted" in finding.says


def test_a_taken_port_is_a_warning_unless_it_is_our_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert machine.localstack_port(port, is_ours=False).state is State.WARNING
        assert machine.localstack_port(port, is_ours=True).state is State.OK

    assert machine.localstack_port(port, is_ours=False).state is State.OK


@pytest.mark.parametrize(
    ("free_bytes", "state"),
    [
        (machine.LITTLE_BYTES, State.OK),
        (machine.LITTLE_BYTES - 1, State.WARNING),
        (machine.TOO_LITTLE_BYTES, State.WARNING),
        (machine.TOO_LITTLE_BYTES - 1, State.PROBLEM),
    ],
)
def test_little_space_is_a_warning_and_none_a_problem(
    tmp_path: Path, free_bytes: int, state: State
) -> None:
    asked: list[Path] = []

    def free(at: Path) -> int:
        asked.append(at)
        return free_bytes

    assert machine.disk("disk", tmp_path / "not/yet/there", free).state is state
    assert asked == [tmp_path]


def test_the_space_of_a_real_disk_is_told(tmp_path: Path) -> None:
    assert "GB free at" in machine.disk("disk", tmp_path).says


def test_no_proxy_is_well() -> None:
    finding = machine.proxy({"NO_PROXY": "example.com", "HTTPS_PROXY": ""})

    assert (finding.state, finding.says) == (State.OK, "none")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_catches_loopback_is_a_warning(name: str) -> None:
    finding = machine.proxy({name: "http://proxy.example:3128"})

    assert finding.state is State.WARNING
    assert "127.0.0.1 and localhost would go through it" in finding.says
    assert "proxy.example:3128" in finding.says


@pytest.mark.parametrize("no_proxy", ["127.0.0.1,localhost", "*", " localhost , 127.0.0.1 ,x"])
def test_a_proxy_that_loopback_goes_past_is_well(no_proxy: str) -> None:
    assert machine.proxy({"HTTPS_PROXY": "http://p", "no_proxy": no_proxy}).state is State.OK


def test_half_a_way_past_the_proxy_is_a_warning() -> None:
    finding = machine.proxy({"HTTPS_PROXY": "http://p", "NO_PROXY": "localhost"})

    assert finding.state is State.WARNING
    assert "; 127.0.0.1 would go through it" in finding.says


@pytest.mark.parametrize(
    "url", ["http://user:hunter2@proxy:3128", "user:hunter2@proxy:3128", "http://user:hunter2@[x"]
)
def test_what_a_proxy_is_entered_with_is_never_shown(url: str) -> None:
    finding = machine.proxy({"HTTPS_PROXY": url})

    assert "hunter2" not in str(finding)
    assert "user" not in finding.says
