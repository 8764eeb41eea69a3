"""Projects that use the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from acceptance.plugin.sessions import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a CDK app, as far as anybody looks."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    (tmp_path / "cdk.json").write_text('{"app": "python -m stack.app"}')
    return Project(tmp_path)
