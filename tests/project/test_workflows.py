"""The workflows run what the Makefile and pytest run, and may do no more than they need."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.project.reading import ROOT
from tools import redaction

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
CI = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
DEPLOY = (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
REDACTION = ".venv/bin/python -m tools.redaction"
# What is kept of a failure: what the redaction leaves.
KEPT = {"path": str(redaction.COPY), "retention-days": 3, "if-no-files-found": "ignore"}
# What is kept of a run on an emulator, which knows no account.
RUNS = {
    "path": ".tidemark/runs",
    "include-hidden-files": True,
    "retention-days": 14,
    "if-no-files-found": "ignore",
}
LOAD = (ROOT / ".github/workflows/load.yml").read_text(encoding="utf-8")
RELEASE = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
# What is built, for the job that attaches it.
BUILT = {
    "path": "build/release/*.whl\nbuild/template/template.json\nbuild/template/functions.zip\n",
    "retention-days": 14,
    "if-no-files-found": "error",
}
SUMMARY = 'find .tidemark/runs -name summary.md -exec cat {} + >> "$GITHUB_STEP_SUMMARY"'
BUILD = ".venv/bin/uv build --wheel --out-dir build/release"
ATTACH = 'find release -type f -exec gh release upload "$TAG" {} +'
DOWNLOAD = "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131"
CHECKOUT = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd"
OLDEST_PYTHON = "3.11"
NEWEST_PYTHON = "3.13"


class _OnIsAWord(yaml.SafeLoader):
    """YAML 1.2, as GitHub reads it: `on` is no truth value."""


_OnIsAWord.yaml_implicit_resolvers = {
    first: [
        (tag, regexp) for tag, regexp in resolvers if not tag.endswith(":bool") or first in "tTfF"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def problems_of(text: str) -> list[str]:
    """What is wrong with a workflow."""
    content: dict[str, Any] = yaml.load(text, _OnIsAWord)  # noqa: S506  a safe loader of ours
    found = [
        f"it has no {key}" for key in ("name", "on", "permissions", "jobs") if key not in content
    ]
    if found:
        return found
    if content["permissions"] != {"contents": "read"}:
        found.append("it may do more than read")
    for name, job in content["jobs"].items():
        if not str(job.get("runs-on", "")).startswith("ubuntu-"):
            found.append(f"{name} does not run on Linux")
        if "timeout-minutes" not in job:
            found.append(f"{name} has no timeout")
        if _attaches(job):
            continue
        found += [f"{name} {problem}" for problem in _wrong_identity(job)]
        found += [f"{name}: {problem}" for step in job["steps"] for problem in _wrong_step(step)]
        if not _keeps_what_is_redacted(job["steps"]):
            found.append(f"{name} keeps nothing of a failure, or what is not redacted")
    return found


def _keeps_what_is_redacted(steps: list[dict[str, Any]]) -> bool:
    """Whether the last two steps redact what a failure left, and keep that for three days."""
    redacted, kept = steps[-2:]
    has_role = any("aws-actions/" in step.get("uses", "") for step in steps)
    others = [one for one in steps[:-2] if "upload-artifact" in one.get("uses", "")]
    return (
        redacted == {"run": REDACTION, "if": "failure()"}
        and (kept.get("if"), _unnamed(kept)) == ("failure()", KEPT)
        and all(not has_role and _unnamed(one) in (RUNS, BUILT) for one in others)
    )


def _unnamed(step: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in step.get("with", {}).items() if key != "name"}


def _attaches(job: dict[str, Any]) -> bool:
    """Whether a job may write to a release, and does that alone, with nothing of the repository."""
    download, attach = (*job["steps"], {})[:2]
    return (
        len(job["steps"]) == 2
        and job.get("if") == "github.event_name == 'release'"
        and job.get("permissions") == {"contents": "write"}
        and (download.get("uses"), attach.get("run")) == (DOWNLOAD, ATTACH)
    )


def _wrong_identity(job: dict[str, Any]) -> list[str]:
    """What is wrong with how a job comes to a role on AWS, if it has one."""
    roles = [step["with"] for step in job["steps"] if "aws-actions/" in step.get("uses", "")]
    allowed = {"contents": "read", "id-token": "write"} if roles else None
    found = []
    if job.get("permissions") != allowed:
        found.append("has permissions that it does not need, or lacks one")
    if any(set(role) != {"role-to-assume", "aws-region"} for role in roles):
        found.append("has keys, or more than a role and a region")
    if any("secrets." in str(part) for part in job.values()):
        found.append("knows a secret")
    deploys = any(_changes_aws(step.get("run", "")) for step in job["steps"])
    if deploys and not job.get("environment"):
        found.append("deploys to no environment, which nobody can protect")
    if deploys and "github.event_name != 'pull_request'" not in job.get("if", ""):
        found.append("deploys what is only proposed")
    if deploys and "github.ref == 'refs/heads/main'" not in job.get("if", ""):
        found.append("deploys what is not on main")
    concurrency = {"group": f"deploy-{job.get('environment')}", "cancel-in-progress": False}
    if deploys and job.get("concurrency") != concurrency:
        found.append("may deploy to an environment while another run does")
    if roles and job.get("env") != {"TIDEMARK_AWS_ACCOUNT": "${{ vars.AWS_ACCOUNT }}"}:
        found.append("takes any account")
    is_on_proposals = roles and not deploys
    if is_on_proposals and ".head.repo.full_name == github.repository" not in job.get("if", ""):
        found.append("gives a role to what a fork proposes")
    return found


def _changes_aws(line: str) -> bool:
    return "--target aws" in line and line.split()[1] in {"up", "deploy", "down", "destroy"}


def _wrong_step(step: dict[str, Any]) -> list[str]:
    if ("uses" in step) == ("run" in step):
        return ["a step neither uses nor runs something, or does both"]
    if "uses" in step:
        problems = []
        # A tag can be moved; a commit cannot.
        if not re.fullmatch(r"(aws-)?actions/[a-z-]+@[0-9a-f]{40}", step["uses"]):
            problems.append(f"{step['uses']} is neither GitHub's own nor AWS's, or not pinned")
        if "checkout" in step["uses"] and step["with"]["persist-credentials"] is not False:
            problems.append("the checkout keeps its token")
        return problems
    return [
        f"{line} is neither a make target nor pytest nor a verb"
        for line in step["run"].splitlines()
        if not _is_known(line)
    ]


def _is_known(line: str) -> bool:
    program, *arguments = line.split()
    if program == "make":
        return {word for word in arguments if "=" not in word} <= MAKE_TARGETS
    return line in {REDACTION, SUMMARY, BUILD} or program in {
        ".venv/bin/pytest",
        ".venv/bin/tidemark",
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_sound(path: Any) -> None:
    assert problems_of(path.read_text(encoding="utf-8")) == []


def test_ci_tests_the_oldest_and_the_newest_python_and_both_emulators() -> None:
    jobs = yaml.safe_load(CI)["jobs"]
    assert jobs["fast"]["strategy"]["matrix"]["python"] == [OLDEST_PYTHON, NEWEST_PYTHON]
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={OLDEST_PYTHON}"' in pyproject
    steps = {name: [step.get("run", "") for step in job["steps"]] for name, job in jobs.items()}
    assert {"make lint", "make test"} <= set(steps["fast"])
    for target in ("embedded", "localstack"):
        assert f"make integration TARGET={target}" in steps[f"integration-{target}"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("permissions:\n  contents: read\n", ""),
        ("contents: read", "contents: write"),
        ("runs-on: ubuntu-24.04", "runs-on: windows-2025"),
        ("    timeout-minutes: 15\n", ""),
        (f"{CHECKOUT}  # v6.0.2", "actions/checkout@v6"),
        (CHECKOUT, "actions/checkout@main"),
        (CHECKOUT, CHECKOUT.replace("actions/", "somebody/")),
        ("persist-credentials: false", "persist-credentials: true"),
        ("make lint", "make lnt"),
        ("make lint", "curl https://example.com"),
        ("path: build/failed", "path: .tidemark/failed"),
        ("retention-days: 3", "retention-days: 90"),
        ("          retention-days: 3\n", ""),
        ("python -m tools.redaction", "python -m tools.run_handler"),
        (f"      - run: {REDACTION}\n        if: failure()\n", ""),
        (f"{REDACTION}\n        if: failure()", REDACTION),
        ("on:\n", "when:\n"),
    ],
)
def test_an_unsound_workflow_is_noticed(before: str, after: str) -> None:
    assert before in CI
    assert problems_of(CI.replace(before, after, 1))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("      id-token: write\n", ""),
        ("      id-token: write", "      id-token: write\n      packages: write"),
        (f"{CHECKOUT}  # v6.0.2", "actions/checkout@v6"),
        ("@ec61189d14ec14c8efccab744f656cffd0e33f37", "@v6"),
        ("aws-actions/", "somebody/"),
        ("vars.AWS_ROLE_ARN", "secrets.AWS_ROLE_ARN"),
        (
            "          role-to-assume: ${{ vars.AWS_ROLE_ARN }}",
            "          aws-access-key-id: ${{ vars.KEY }}",
        ),
        ("    environment: ${{ inputs.environment || 'testbed' }}\n", ""),
        ("      github.event_name != 'pull_request' && github.ref", "      github.ref"),
        (" github.ref == 'refs/heads/main' &&", ""),
        ("retention-days: 3", "retention-days: 90"),
        ("group: deploy-${{ inputs.environment || 'testbed' }}", "group: ${{ github.ref }}"),
        ("cancel-in-progress: false", "cancel-in-progress: true"),
        ("TIDEMARK_AWS_ACCOUNT: ${{ vars.AWS_ACCOUNT }}", "PLACE: here"),
        (" &&\n      github.event.pull_request.head.repo.full_name == github.repository", ""),
    ],
)
def test_a_deploy_that_does_too_much_is_noticed(before: str, after: str) -> None:
    assert before in DEPLOY
    assert problems_of(DEPLOY.replace(before, after, 1))


@pytest.mark.parametrize(
    ("workflow", "before", "after"),
    [
        (LOAD, "path: .tidemark/runs", "path: .tidemark"),
        (LOAD, "retention-days: 14", "retention-days: 90"),
        (LOAD, '>> "$GITHUB_STEP_SUMMARY"', "| sh"),
        (RELEASE, "path: |\n", "path: |\n            .tidemark\n"),
        (RELEASE, "permissions:\n      contents: write", "permissions: write-all"),
        (RELEASE, "if: github.event_name == 'release'", "if: always()"),
        (RELEASE, "gh release upload", "gh release delete"),
        (RELEASE, "37930b1c2abaa49bbe596cd826c3c89aef350131", "v7"),
        (
            RELEASE,
            "      - uses: actions/download-artifact",
            "      - run: make install\n      - uses: actions/download-artifact",
        ),
    ],
)
def test_a_load_or_a_release_that_does_too_much_is_noticed(
    workflow: str, before: str, after: str
) -> None:
    assert before in workflow
    assert problems_of(workflow.replace(before, after, 1))


def test_every_night_and_by_hand_each_emulator_is_loaded_with_a_profile_that_there_is() -> None:
    workflow = yaml.load(LOAD, _OnIsAWord)  # noqa: S506  a safe loader of ours
    assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}
    inputs = workflow["on"]["workflow_dispatch"]["inputs"]
    profiles = {path.stem for path in (ROOT / "loadtest/profiles").glob("*.toml")}
    assert set(inputs["profile"]["options"]) == profiles
    job = workflow["jobs"]["load"]
    assert job["strategy"]["matrix"]["target"] == ["embedded", "localstack"]
    lines = [step["run"] for step in job["steps"] if "run" in step]
    assert lines[0] == "make up"
    assert '.venv/bin/tidemark load "$PROFILE" --duration "$DURATION"' in lines[1]
    assert lines[2:4] == [SUMMARY, "make down"]


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 1), (2, 0), (3, 3), (70, 70)])
def test_a_missed_slo_fails_no_night_and_all_else_does(
    tmp_path: Path, code: int, ends: int
) -> None:
    steps = yaml.load(LOAD, _OnIsAWord)["jobs"]["load"]["steps"]  # noqa: S506  a safe loader of ours
    (step,) = [one["run"] for one in steps if "tidemark load" in one.get("run", "")]
    program = tmp_path / ".venv/bin/tidemark"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n[ "$*" = "load mixed --duration 5m" ] && exit {code}\n')
    program.chmod(0o755)
    shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step)  # as GitHub starts it
    env = os.environ | {"PROFILE": "mixed", "DURATION": "5m"}
    ended = subprocess.run(
        shell, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )

    assert ended.returncode == ends
    assert ("::warning::" in ended.stdout) is (code == 2)


def test_deploys_are_of_main_or_by_hand_and_proposals_are_compared() -> None:
    workflow = yaml.load(DEPLOY, _OnIsAWord)  # noqa: S506  a safe loader of ours
    assert workflow["on"]["push"] == {"branches": ["main"]}
    assert workflow["on"]["workflow_dispatch"]["inputs"]["environment"]["type"] == "environment"
    lines = {
        name: [step["run"] for step in job["steps"] if "run" in step]
        for name, job in workflow["jobs"].items()
    }
    assert "concurrency" not in workflow, "a proposal would keep a deploy from its turn"
    assert ".venv/bin/tidemark diff --target aws" in lines["diff"]
    assert ".venv/bin/tidemark up --target aws --yes" in lines["deploy"]


def test_each_action_is_one_commit_everywhere_and_says_which_release_that_is() -> None:
    uses = [
        line.partition("uses: ")[2]
        for path in WORKFLOWS
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses: " in line
    ]
    assert len({one.partition("@")[0] for one in uses}) == len(set(uses)) == 5
    assert [one for one in uses if not re.fullmatch(r"\S+@\S+  # v\d+\.\d+\.\d+", one)] == []
