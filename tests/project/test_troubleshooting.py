"""The troubleshooting guide quotes sentences that the harness really says."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.project.reading import ROOT, Document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUIDE = Document.at(ROOT / "docs/troubleshooting.md")
GAP = "…"


def said_by_python(path: Path) -> Iterator[str]:
    """What the errors raised in a module say, with a gap for each value."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and _name(node.func).endswith("Error"):
            sentence = node.args[0]
            parts = sentence.values if isinstance(sentence, ast.JoinedStr) else [sentence]
            said = [_text(part) for part in parts]
            if any(text != GAP for text in said):
                yield "".join(said)


def _text(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else GAP


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def said_by_shell(path: Path) -> Iterator[str]:
    """What a script fails with, with a gap for each variable."""
    text = path.read_text(encoding="utf-8")
    for sentence in re.findall(r'(?:fail|run) (?:\\\n\s+)?"([^"]+)"', text):
        yield re.sub(r"\$\{?\w+\}?", GAP, sentence)


@cache
def said() -> set[str]:
    modules = [*(ROOT / "tidemark").rglob("*.py"), *(ROOT / "loadtest").rglob("*.py")]
    sentences = {sentence for path in modules for sentence in said_by_python(path)}
    return {
        sentence.replace("`", "")
        for sentence in sentences | set(said_by_shell(ROOT / "tools/bootstrap"))
    }


QUOTED = re.findall(r"^\| `([^`]+)` \|", GUIDE.text, re.MULTILINE)


@pytest.mark.parametrize("sentence", QUOTED)
def test_a_quoted_sentence_is_one_that_is_said(sentence: str) -> None:
    assert sentence in said()


def test_sentences_are_found_in_the_guide_and_in_the_sources() -> None:
    assert len(QUOTED) > 20
    assert {"No deployment… is known in …: run tidemark up first."} <= said()
    assert any(sentence.startswith("Python … is too old") for sentence in said())
    assert "The target is on holiday." not in said()
