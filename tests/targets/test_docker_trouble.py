"""LocalStack when Docker is in trouble: one sentence that helps, and nothing left behind."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.targets.fake_engine import IMAGE, RUNNING, FakeEngine, exited
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.targets import emulators, localstack
from tidemark.targets import engine as engine_of_docker
from tidemark.targets.base import TargetOptions
from tidemark.targets.choice import choose
from tidemark.targets.localstack import LocalStackTarget

if TYPE_CHECKING:
    from pathlib import Path

PORT = 45661
FULL_DISK = "The disk is full where Docker keeps .*docker system prune"
IS_THERE = {"version": "4.14.0"}


@pytest.fixture
def target(
    engine: FakeEngine,  # noqa: ARG001 -- where it starts
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> LocalStackTarget:
    monkeypatch.setattr(emulators, "health", lambda *_: IS_THERE)
    return LocalStackTarget(TargetOptions(state=tmp_path / "state", port=PORT))


def test_an_image_that_is_not_here_is_pulled_and_said_to_be(
    engine: FakeEngine, target: LocalStackTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.images.clear()
    engine.pull_says = [
        {"status": "Pulling from localstack/localstack", "id": "4.14.0"},
        {
            "status": "Downloading",
            "id": "a1",
            "progressDetail": {"current": 10_000_000, "total": 30_000_000},
        },
        {"status": "Pull complete", "id": "a1", "progressDetail": {}},
    ]

    target.start()

    assert f"  {IMAGE} is pulled (" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            (404, f"manifest for {IMAGE} not found: manifest unknown"),
            rf"{IMAGE} is not on this machine and cannot be pulled \(manifest for .*LOCALSTACK_IM",
        ),
        (
            (500, "dial tcp: lookup registry-1.docker.io: no such host"),
            r"cannot be pulled \(dial tcp: lookup registry-1\.docker\.io: no such host\)",
        ),
        ([{"error": "toomanyrequests: You have reached your limit."}], r"\(toomanyrequests: You"),
        ([{"error": "write /usr/lib/x: no space left on device"}], FULL_DISK),
    ],
)
def test_an_image_that_cannot_be_pulled_is_a_sentence(
    engine: FakeEngine, target: LocalStackTarget, said: Any, sentence: str
) -> None:
    engine.images.clear()
    engine.pull_says = said

    with pytest.raises(TidemarkError, match=sentence):
        target.start()

    assert engine.created == []


@pytest.mark.parametrize(
    ("said", "kind", "sentence"),
    [
        (
            f"Bind for 127.0.0.1:{PORT} failed: port is already allocated",
            NotStartedError,
            f"Port {PORT} is taken",
        ),
        ("mkdir /var/lib/docker: no space left on device", TidemarkError, FULL_DISK),
        ("failed\nruntime: no.", TidemarkError, rf"Docker does not start {IMAGE}: runtime: no\.$"),
    ],
)
def test_a_container_that_does_not_start_is_a_sentence(
    engine: FakeEngine,
    target: LocalStackTarget,
    said: str,
    kind: type[TidemarkError],
    sentence: str,
) -> None:
    engine.start_says = (500, said)

    with pytest.raises(kind, match=sentence):
        target.start()

    assert is_nothing_left(engine, target)


@pytest.mark.parametrize(
    ("state", "log", "sentence"),
    [
        (
            exited(55),
            "License activation failed! Reason: No credentials were found in the environment.",
            (
                r"The image acme/localstack:9 needs a token: set LOCALSTACK_AUTH_TOKEN, .*"
                r"localstack/localstack:4\.14\.0 runs without one"
            ),
        ),
        (
            exited(137, out_of_memory=True),
            "Ready.",
            r"\(the machine ran out of memory for it; its last words: Ready\)",
        ),
        (exited(3), "Traceback\nOSError: [Errno 28] No space left on device", FULL_DISK),
        (
            {"Status": "dead", "ExitCode": 3},
            "",
            r"\(exit code 3; its last words: it said nothing\)",
        ),
    ],
)
def test_a_container_that_ends_at_once_is_told_by_its_end_and_its_words(
    engine: FakeEngine,
    target: LocalStackTarget,
    monkeypatch: pytest.MonkeyPatch,
    state: dict[str, object],
    log: str,
    sentence: str,
) -> None:
    monkeypatch.setenv("LOCALSTACK_IMAGE", "acme/localstack:9")
    engine.images.add("acme/localstack:9")
    engine.starts_as, engine.log = state, log

    with pytest.raises(TidemarkError, match=sentence):
        target.start()

    assert is_nothing_left(engine, target)
    kept = target.options.state / "failed" / "localstack.log"
    assert log in kept.read_text(encoding="utf-8")


def test_one_that_ends_while_it_is_waited_for_is_no_silence(
    engine: FakeEngine, target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:
        engine.created[0].state = exited(1)

    monkeypatch.setattr(emulators, "health", end)

    with pytest.raises(TidemarkError, match=r"LocalStack ended while starting \(exit code 1"):
        target.start()


def test_one_that_never_answers_is_removed_and_its_log_is_kept(
    engine: FakeEngine, target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulators, "health", lambda *_: None)
    monkeypatch.setattr(localstack, "_FIRST_ANSWER_WITHIN_S", 0.0)
    engine.log = "Waiting for DynamoDB"

    with pytest.raises(TidemarkError, match=r"has not answered within 0 s of its start: .*\.log"):
        target.start()

    assert is_nothing_left(engine, target)


def test_an_engine_that_goes_away_while_localstack_starts_says_both(
    engine: FakeEngine, target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:
        monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    monkeypatch.setattr(emulators, "health", end)

    with pytest.raises(TidemarkError, match=r"\(no Docker engine answers \(DOCKER_HOST") as raised:
        target.start()

    [note] = raised.value.__notes__
    assert note.startswith(
        "The localstack target is left (No Docker engine answers (DOCKER_HOST tcp"
    )
    assert [one.state for one in engine.containers.values()] == [RUNNING]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(13, "Permission denied"),
            r"Docker does not let this user in \(permission denied\): add the user to the group",
        ),
        (
            FileNotFoundError(2, "No such file or directory"),
            r"No Docker engine answers \(context .*\): start it, .*or take the embedded target\.",
        ),
    ],
)
def test_an_engine_that_lets_nobody_in_is_told_from_none(
    target: LocalStackTarget,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: OSError,
    sentence: str,
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(engine_of_docker, "_knock", refuse)
    monkeypatch.delenv("DOCKER_HOST")

    with pytest.raises(TidemarkError, match=sentence) as raised:
        target.start()

    choice = choose("auto", TargetOptions(state=tmp_path), {})
    assert choice.name == "embedded"
    assert str(choice.why).endswith("; TARGET=localstack needs one.")
    assert str(raised.value).lower().startswith(str(choice.why).partition(";")[0].lower())


def test_without_testcontainers_it_says_what_brings_them(
    target: LocalStackTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "testcontainers.core.docker_client", None)

    with pytest.raises(TidemarkError, match=r"pip install 'tidemark-cqrs\[localstack\]'"):
        target.start()


def is_nothing_left(engine: FakeEngine, target: LocalStackTarget) -> bool:
    """Whether all that was begun was taken down, and the record of it."""
    record = target.options.state / "localstack" / "container.json"
    return engine.containers == {} and not record.exists()
