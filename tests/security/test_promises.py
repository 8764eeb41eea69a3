"""Every promise of security is shown by tests that exist, and told in `docs/security.md`."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tools import promises

TABLE = promises.TABLE.read_text(encoding="utf-8")
CHAPTERS = promises.read(TABLE)
PROOFS = sorted({proof for one in CHAPTERS for row in one.promises for proof in row.proofs})


@cache
def found_in(path: str) -> set[str]:
    """The names of the tests in a file of this repository; none if there is no such file."""
    file = promises.ROOT / path
    if not file.is_file() or not path.startswith(("tests/", "integration/", "acceptance/")):
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    return {name for name in names if name.startswith("test_")}


def exists(proof: str) -> bool:
    """Whether a test is where a node id says."""
    path, _, name = proof.partition("::")
    return name in found_in(path)


@pytest.mark.parametrize("proof", PROOFS)
def test_what_shows_a_promise_is_a_test(proof: str) -> None:
    assert exists(proof)


@pytest.mark.parametrize(
    "proof",
    [
        "tests/security/test_promises.py::test_of_a_promise_that_nobody_keeps",
        "tests/security/test_gone.py::test_what_shows_a_promise_is_a_test",
        "tests/security/test_promises.py::exists",
        "tests/security/test_promises.py",
        "tools/promises.py::draw",
    ],
)
def test_what_is_no_test_is_noticed(proof: str) -> None:
    assert not exists(proof)


def test_the_page_is_current() -> None:
    drawn = promises.draw(CHAPTERS)

    assert drawn == promises.PAGE.read_text(encoding="utf-8"), (
        "draw it: .venv/bin/python -m tools.promises"
    )


def test_no_promise_is_made_twice() -> None:
    made = [row.promise for one in CHAPTERS for row in one.promises]

    assert len(made) == len(set(made)) > 20


def test_each_says_itself_in_sentences() -> None:
    said = [
        text
        for one in CHAPTERS
        for row in one.promises
        for text in (row.promise, row.attack, row.result)
    ]

    assert [text for text in said if not text.endswith(".") or "|" in text or "\n" in text] == []


@pytest.mark.parametrize("column", ["promise", "attack", "result", "proofs"])
def test_a_row_that_lacks_something_is_noticed(column: str) -> None:
    lines = ['[[chapter]]\ntitle = "t"\n[[chapter.row]]']
    row = {"promise": '"p"', "attack": '"a"', "result": '"r"', "proofs": '["x"]'}
    for changed in ({}, {column: '""'}, {"more": '"x"'}):
        named = {**row, **changed}
        if not changed:
            del named[column]
        with pytest.raises(ValueError, match="all of them"):
            promises.read(
                "\n".join([*lines, *(f"{key} = {value}" for key, value in named.items())])
            )
