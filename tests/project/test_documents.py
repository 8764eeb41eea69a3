"""What the documents name exists, and says what they say."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.project.reading import ROOT, VERBS, Document, documents, variables_of_make
from tidemark.errors import ExitCode

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
MAKE_TARGETS = dict(re.findall(r"^([a-z-]+):.*?## (.+)$", MAKEFILE, re.MULTILINE))
TOP_FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}


def wrong_links(document: Document) -> list[str]:
    """Relative links that lead nowhere."""
    wrong = []
    for link in document.links:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        path = (document.path.parent / name).resolve() if name else document.path
        if not path.exists() or (anchor and anchor not in Document.at(path).anchors):
            wrong.append(link)
    return wrong


def wrong_commands(document: Document) -> list[str]:
    """Command lines, and names of commands in backticks, that would not work as printed."""
    return [
        command
        for command in [*document.commands, *document.spans]
        if _is_wrong(re.sub(r"^([A-Z_]+=\S+ )+| > \S+$", "", command))
    ]


def _is_wrong(command: str) -> bool:
    try:
        program, *arguments = shlex.split(command)
    except ValueError:
        return False  # no command line: a piece of code
    if program == "make":
        return _make_is_wrong(arguments)
    if program in {"tidemark", ".venv/bin/tidemark"}:
        return _verb_is_wrong(arguments)
    if program in {"python", ".venv/bin/python"} and arguments[:1] == ["-m"]:
        return importlib.util.find_spec(arguments[1]) is None or _names_no_file(arguments[2:])
    if program.startswith(".venv/bin/") and program != ".venv/bin/pip":
        # Ours has no pip: it is of an environment that the reader makes.
        return not (ROOT / program).exists() or _names_no_file(arguments)
    return False


def _make_is_wrong(arguments: list[str]) -> bool:
    targets = [word for word in arguments if "=" not in word]
    variables = {word.partition("=")[0] for word in arguments if "=" in word}
    return not set(targets) <= MAKE_TARGETS.keys() or not variables <= variables_of_make()


def _verb_is_wrong(arguments: list[str]) -> bool:
    if not arguments or arguments[0].isupper():
        return False
    verb, *rest = arguments
    if verb not in VERBS:
        return verb not in {"--help", "-h", "--version"}
    if VERBS[verb].context_settings.get("ignore_unknown_options"):
        return False
    command = VERBS[verb]
    if rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest[0]]
    known = {option for one in command.params for option in one.opts}
    return not {word for word in rest if word.startswith("--")} <= known


def _names_no_file(arguments: list[str]) -> bool:
    """Whether an argument that looks like a file of ours is none."""
    return any(
        word.partition("/")[0] in TOP_FOLDERS and "/" in word and not (ROOT / word).exists()
        for word in arguments
    )


@pytest.fixture(params=documents(), ids=lambda one: str(one.path.relative_to(ROOT)))
def document(request: pytest.FixtureRequest) -> Document:
    found: Document = request.param
    return found


def test_every_relative_link_leads_somewhere(document: Document) -> None:
    assert wrong_links(document) == []


def test_every_command_exists(document: Document) -> None:
    assert wrong_commands(document) == []


def test_every_json_block_is_json(document: Document) -> None:
    for block in document.fenced("json"):
        json.loads(block)


def test_the_documents_are_seen_to_name_commands_and_links() -> None:
    every = documents()
    commands = [command for one in every for command in one.commands]
    assert {"make up", "make test"} <= set(commands)
    assert any(command.startswith(".venv/bin/tidemark call") for command in commands)
    assert sum(len(one.links) for one in every) > 20


@pytest.mark.parametrize(
    "text",
    ["[gone](docs/gone.md)", "![no picture](gone.svg)", "[no heading](README.md#gone)"],
)
def test_a_dead_link_is_noticed(text: str) -> None:
    assert wrong_links(Document(ROOT / "SAMPLE.md", text))


@pytest.mark.parametrize(
    "command",
    [
        "make nothing",
        "make up TARGTE=localstack",
        "tidemark nothing",
        ".venv/bin/tidemark status --nothing",
        ".venv/bin/nothing",
        ".venv/bin/python -m tools.nothing",
        ".venv/bin/python -m tools.run_handler query_handler functions/nothing.json",
        "TIDEMARK_STATE_DIR=/tmp/other make nothing",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(command: str) -> None:
    assert wrong_commands(Document(ROOT / "SAMPLE.md", f"`{command}`")) == [command]
    assert wrong_commands(Document(ROOT / "SAMPLE.md", f"```console\n$ {command}\n```\n"))


def test_the_readme_lists_what_make_help_lists() -> None:
    rows = re.findall(
        r"^\| `make ([a-z-]+)` \| (.+) \|$", Document.at(ROOT / "README.md").text, re.MULTILINE
    )
    assert dict(rows) == MAKE_TARGETS
    assert [name for name, _ in rows] == list(MAKE_TARGETS)


def test_the_readme_lists_every_exit_code() -> None:
    listed = ", ".join(f"{code.value} {code.meaning}" for code in ExitCode)
    assert f"Exit codes: {listed}." in Document.at(ROOT / "README.md").text


def test_the_readme_maps_every_folder_with_sources() -> None:
    sources = {
        path.parts[0]
        for path in (one.relative_to(ROOT) for one in ROOT.glob("*/**/*.py"))
        if path.parts[0][0] != "." and path.parts[0] not in {"node_modules", "build", "cdk.out"}
    }
    mapped = set(Document.at(ROOT / "README.md").links)
    assert {"functions", "stack", "tidemark"} <= sources
    assert sources - mapped == set()


def test_each_sentence_of_prose_has_its_line() -> None:
    """A change to a sentence is then a change to a line."""
    for path in ("README.md", "CONTRIBUTING.md"):
        prose = Document.at(ROOT / path).prose
        crowded = [
            line
            for line in prose.splitlines()
            if re.search(r"[a-z`)]\. [A-Z]", line) and not line.startswith(("|", "-", "!"))
        ]
        assert crowded == []


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    picture = Path(ROOT / "docs/architecture.svg").read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"\s]+", picture) == ["http://www.w3.org/2000/svg"]
    assert "<script" not in picture
