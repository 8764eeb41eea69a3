"""A change of the functions: `diff` shows it, `up` deploys it, and says where it does not work."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from acceptance import containers
from acceptance.program import CHECKOUT, Ended, Program
from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(400)

_SOURCES = ("cdk.json", "functions", "package-lock.json", "pyproject.toml", "stack", "uv.lock")


@pytest.fixture(scope="module", params=["embedded", "localstack"])
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The stack of a checkout of its own, up on a target."""
    target: str = request.param
    if target == "localstack":
        containers.require()
    folder = tmp_path_factory.mktemp(target)
    checkout = folder / "checkout"
    checkout.mkdir()
    for name in _SOURCES:
        source = CHECKOUT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, checkout / name)
    (checkout / "node_modules").symlink_to(CHECKOUT / "node_modules")
    with Program(folder / "state", cwd=checkout).brought_down() as program:
        program.succeeds("up", "--target", target)
        yield Up(program, target)


@dataclass(frozen=True)
class Up:
    """A program and the target that its stack is on."""

    program: Program
    target: str

    def __call__(self, *arguments: str) -> Ended:
        return self.program("up", "--target", self.target, *arguments)

    @contextmanager
    def changed(self, path: str, before: str, after: str) -> Iterator[None]:
        """A source file that is another one for a while."""
        file = self.program.cwd / path
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after, 1), encoding="utf-8")
        yield
        file.write_text(text, encoding="utf-8")


def test_a_handler_that_cannot_be_loaded_is_quoted_and_stays_to_be_looked_at(up: Up) -> None:
    with up.changed("functions/command_handler/handler.py", "class CommandHandler:", "class :"):
        changed = up.program.succeeds("diff")
        ended = up()

    assert "[~] AWS::Lambda::Function WriteSide/CommandHandler" in changed
    assert ended.exit_code == ExitCode.FAILED
    assert "The stack is deployed and does not work: command-handler fails with" in ended.stderr
    assert "invalid syntax (handler.py, line" in ended.stderr
    assert "It stays as it is, to be looked at with `tidemark logs`" in ended.stderr
    assert up.program.status()["target"] == up.target


def test_an_event_that_is_given_up_is_no_success_although_the_balance_is_right(up: Up) -> None:
    gives_up = (
        "def from_message(text):\n"
        "    from functions.adapters import event_codec\n\n"
        "    is_opening = '\"AccountOpened\"' in text\n"
        "    return Unreadable('it opens') if is_opening else event_codec.from_message(text)\n\n\n"
    )
    with up.changed(
        "functions/update_processor/batch.py", "def batch_of(", f"{gives_up}def batch_of("
    ):
        ended = up()

    assert ended.exit_code == ExitCode.FAILED
    assert "update-processor gave a delivery up for good (it opens)." in ended.stderr


def test_a_wiring_is_kept_until_another_one_is_named(up: Up) -> None:
    assert up("--wiring", "direct").exit_code == ExitCode.OK

    kept = up()

    assert kept.exit_code == ExitCode.OK, kept.stderr
    assert "it keeps wiring direct, as it is deployed" in kept.stderr
    assert up.program.status()["wiring"] == "direct"
    [row] = up.program.succeeds("list").splitlines()[2:]
    assert row.split()[:3] == ["Tidemark", up.target, "direct"]
    assert row.split()[-1] == "up"
