"""The options of the plugin, and what it says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.sessions import Project

NOTHING = "def test_nothing(): pass"
DEPLOYED = "def test_deployed(deployment): pass"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--target", "endpoint"], "--target endpoint and --tidemark-endpoint URL go together."),
        (
            ["--target", "embedded", "--tidemark-endpoint", "http://127.0.0.1:1"],
            "--target endpoint and --tidemark-endpoint URL go together.",
        ),
        (["--target", "mars"], "invalid choice: 'mars'"),
        (["--tidemark-app", "node app.js"], '--tidemark-app must be "python -m MODULE".'),
        (["--tidemark-context", "direct"], "--tidemark-context must be NAME=VALUE, not 'direct'."),
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(
    project: Project, options: list[str], sentence: str
) -> None:
    session = project.run(NOTHING, *options)

    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert sentence in session.output
    assert "Traceback" not in session.output


def test_a_session_says_what_it_is_about_to_deploy_on(project: Project) -> None:
    session = project.run(
        DEPLOYED, "--collect-only", "--tidemark-app", "python -m my.app", "--tidemark-context=a=b"
    )

    assert session.exit_code == 0
    assert "tidemark: target embedded, app my.app (a=b)" in session.output


def test_an_endpoint_is_a_target_without_saying_so(project: Project) -> None:
    session = project.run(DEPLOYED, "--collect-only", "--tidemark-endpoint", "http://127.0.0.1:1")

    assert "tidemark: target endpoint at http://127.0.0.1:1, app stack.app" in session.output


def test_a_session_without_a_deployment_says_nothing_and_leaves_nothing(project: Project) -> None:
    session = project.run(NOTHING)

    assert session.exit_code == 0
    assert "target" not in session.output
    assert not (project.folder / "state").exists()


def test_a_deployment_without_a_cdk_app_is_a_usage_error(project: Project) -> None:
    (project.folder / "cdk.json").unlink()

    session = project.run(DEPLOYED)

    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "There is no CDK app here" in session.output
