"""A result says exactly what was measured: the image by its id, not by its name alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from tests.probe.asking import DEPLOYMENT
from tidemark import status, targets
from tidemark.targets import engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

IMAGE = "localstack/localstack:4.14.0"


def _versions(
    monkeypatch: pytest.MonkeyPatch, of_target: dict[str, str], *, image_id: str | None
) -> dict[str, str]:
    def asked(arguments: Sequence[str]) -> str | None:
        assert arguments == ["image", "inspect", "--format", "{{.Id}}", IMAGE]
        return image_id

    target = SimpleNamespace(versions=lambda: of_target)
    monkeypatch.setattr(targets, "of_deployment", lambda _: target)
    monkeypatch.setattr(engine, "asked", asked)
    return status.versions(DEPLOYMENT)


def test_an_image_is_named_by_its_id_too(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _versions(monkeypatch, {"image": IMAGE}, image_id="sha256:c3bdc3d28448")

    assert (found["image"], found["image id"]) == (IMAGE, "sha256:c3bdc3d28448")


def test_where_nobody_knows_the_image_there_is_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "image id" not in _versions(monkeypatch, {"image": IMAGE}, image_id=None)
    assert "image id" not in _versions(monkeypatch, {"ministack": "1.5.33"}, image_id="unasked")
