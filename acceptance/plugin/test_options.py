"""The options of the plugin, and what it says about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from acceptance.plugin.sessions import Project

NOTHING = "def test_nothing(): pass"
DEPLOYED = "def test_deployed(deployment): pass"
GIVEN = ["--tidemark-endpoint", "http://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--target", "embedded", *GIVEN],
            "--tidemark-endpoint does not go with --target embedded.",
        ),
        (
            ["--tidemark-endpoint", "http://127.0.0.1:abc"],
            "--tidemark-endpoint: 'http://127.0.0.1:abc' is not the URL of an endpoint",
        ),
        (["--target", "mars"], "invalid choice: 'mars'"),
        (["--target", "aws"], "--target aws wants TIDEMARK_AWS_ACCOUNT"),
        (["--tidemark-app", "python 'app.py"], "is no command: No closing quotation."),
        (["--tidemark-app", ""], "--tidemark-app is empty"),
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


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "`tidemark_caller` needs to know the system"),
        (("--tidemark-workload", "nowhere:Mine"), "The workload nowhere:Mine cannot be imported"),
        (
            ("--tidemark-workload", "greedy:Greedy"),
            "The workload greedy:Greedy claims what it cannot: There is no invariant I99",
        ),
    ],
)
def test_a_workload_that_is_none_is_refused_before_anything_starts(
    project: Project, options: tuple[str, ...], sentence: str
) -> None:
    source = Path("tests/workloads/shelves.py").read_text(encoding="utf-8")
    greedy = 'class Greedy(Shelves):\n    claims = ("I99",)\n'
    (project.folder / "greedy.py").write_text(source + greedy, encoding="utf-8")

    session = project.run("def test_it(tidemark_caller): pass", *options)

    assert session.exit_code == ExitCode.NOT_STARTED
    assert sentence in session.output
    assert "Traceback" not in session.output
    assert "target answers" not in session.output


def test_a_session_says_what_it_is_about_to_deploy_on(project: Project) -> None:
    session = project.run(
        DEPLOYED, "--collect-only", "--tidemark-app", "python -m my.app", "--tidemark-context=a=b"
    )

    assert session.exit_code == 0
    assert "tidemark: target embedded, app python -m my.app (a=b)" in session.output


def test_an_endpoint_is_a_target_without_saying_so(project: Project) -> None:
    session = project.run(DEPLOYED, "--collect-only", "--tidemark-endpoint", "http://127.0.0.1:1")

    assert (
        "tidemark: target endpoint at http://127.0.0.1:1, app python -m stack.app" in session.output
    )


def test_a_session_without_a_deployment_says_nothing_and_leaves_nothing(project: Project) -> None:
    session = project.run(NOTHING)

    assert session.exit_code == 0
    assert "target" not in session.output
    assert not (project.folder / "state").exists()


def test_the_app_is_that_of_cdk_json_by_the_python_of_the_tests(project: Project) -> None:
    (project.folder / "cdk.json").write_text('{"app": ".venv/bin/python parcels/app.py"}')

    session = project.run(DEPLOYED, "--collect-only")

    assert "tidemark: target embedded, app python parcels/app.py" in session.output


def test_an_app_that_is_given_needs_no_cdk_json(project: Project) -> None:
    (project.folder / "cdk.json").unlink()

    session = project.run(DEPLOYED, "--collect-only", "--tidemark-app", "python app.py")

    assert "tidemark: target embedded, app python app.py" in session.output


def test_a_stack_that_is_given_needs_no_app(project: Project) -> None:
    (project.folder / "cdk.json").unlink()

    session = project.run(DEPLOYED, "--collect-only", *GIVEN, "--tidemark-stack", "Theirs")

    assert "target endpoint at http://127.0.0.1:1, stack Theirs" in session.output


@pytest.mark.parametrize("options", [[], ["--tidemark-app", "python app.py", *GIVEN]])
def test_a_stack_of_an_app_is_named_by_the_same_option(
    project: Project, options: list[str]
) -> None:
    session = project.run(DEPLOYED, "--collect-only", *options, "--tidemark-stack", "Theirs")

    assert ", app python " in session.output


@pytest.mark.parametrize("options", [[], ["--tidemark-stack", "Theirs"]])
def test_a_deployment_without_a_cdk_app_is_a_usage_error(
    project: Project, options: list[str]
) -> None:
    (project.folder / "cdk.json").unlink()

    session = project.run(DEPLOYED, *options)

    assert session.exit_code == pytest.ExitCode.USAGE_ERROR
    assert "There is no CDK app here" in session.output
