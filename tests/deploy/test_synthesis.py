from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tidemark.aws.stacks import template_digest
from tidemark.deploy import synthesis
from tidemark.deploy.synthesis import App, Assembly
from tidemark.errors import TidemarkError
from tidemark.host.processes import Children

if TYPE_CHECKING:
    from pathlib import Path

# An app in the way of the CDK's, without the CDK.
MINIMAL_APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
name = json.loads(os.environ["CDK_CONTEXT_JSON"])["stack_name"]
(out / "T.template.json").write_text(json.dumps({"Resources": {}, "Description": name}))
stack = {"type": "aws:cloudformation:stack",
         "properties": {"templateFile": "T.template.json", "stackName": name}}
(out / "manifest.json").write_text(json.dumps({"artifacts": {"T": stack, "Tree": {"type": "x"}}}))
with open("runs", "a") as runs:
    print(sorted(key for key in os.environ if key.startswith(("AWS_", "CDK_"))), file=runs)
"""


@pytest.fixture
def app(tmp_path: Path) -> App:
    for name, text in {
        "stack/app.py": MINIMAL_APP,
        "stack/__init__.py": "",
        "functions/handler.py": "one",
        "uv.lock": "locked",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return App(tmp_path, "Tidemark", {"wiring": "queued"})


def synthesise(app: App) -> Assembly:
    return synthesis.synthesise(app, Children(), app.checkout / "log")


def runs(app: App) -> list[str]:
    return (app.checkout / "runs").read_text().splitlines()


def test_an_app_is_synthesised_once_for_one_state_of_its_inputs(app: App) -> None:
    first = synthesise(app)
    again = synthesise(app)

    assert first == again
    assert len(runs(app)) == 1
    assert first.template == {"Resources": {}, "Description": "Tidemark"}


def test_the_app_sees_its_context_and_no_aws_settings(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "1")

    synthesise(app)

    assert runs(app) == ["['CDK_CONTEXT_JSON', 'CDK_OUTDIR']"]


@pytest.mark.parametrize(
    "path", ["stack/app.py", "stack/openapi.yaml", "functions/handler.py", "uv.lock", "cdk.json"]
)
def test_a_changed_input_is_another_state(app: App, path: str) -> None:
    before = app.digest()

    (app.checkout / path).write_text("changed\n" + MINIMAL_APP)

    assert app.digest() != before


def test_what_python_leaves_beside_the_code_is_no_input(app: App) -> None:
    before = app.digest()

    (app.checkout / "functions" / "__pycache__").mkdir()
    (app.checkout / "functions" / "__pycache__" / "handler.pyc").write_text("bytes")
    (app.checkout / "README.md").write_text("words")

    assert app.digest() == before


def test_context_stack_name_and_command_are_inputs(app: App) -> None:
    others = [
        replace(app, contexts={"wiring": "direct"}),
        replace(app, stack_name="Other"),
        replace(app, command=("python", "-m", "integration.faulty_app")),
    ]

    assert len({one.digest() for one in [app, *others]}) == 4


def test_a_renamed_file_is_another_state(app: App) -> None:
    before = app.digest()

    (app.checkout / "functions" / "handler.py").rename(app.checkout / "functions" / "other.py")

    assert app.digest() != before


def test_an_app_that_fails_is_quoted_and_leaves_nothing(app: App) -> None:
    (app.checkout / "stack" / "app.py").write_text("raise ValueError('wiring: fast')")

    with pytest.raises(TidemarkError, match="does not synthesise: ValueError: wiring: fast"):
        synthesise(app)

    assert list((app.checkout / "build" / "synth").iterdir()) == []


def test_an_app_that_ignores_the_stack_name_is_refused(app: App) -> None:
    path = app.checkout / "stack" / "app.py"
    path.write_text(MINIMAL_APP.replace('["stack_name"]', '.get("x", "Fixed")'))

    with pytest.raises(TidemarkError, match="named its stack Fixed where Tidemark was asked"):
        synthesise(app)


def test_an_app_may_name_its_stack_where_nothing_else_is(app: App) -> None:
    path = app.checkout / "stack" / "app.py"
    path.write_text(MINIMAL_APP.replace('["stack_name"]', '.get("x", "Fixed")'))

    assert synthesise(replace(app, may_name_itself=True)).stack_name == "Fixed"


def test_an_app_with_a_folder_for_its_result_is_made_there(app: App) -> None:
    folder = app.checkout / "session" / "synth"

    made = synthesise(replace(app, command=("python3", "stack/app.py"), folder=folder))

    assert made.folder == folder
    assert not (app.checkout / "build").exists()


def test_an_app_has_the_context_that_the_project_keeps_for_it(app: App) -> None:
    for name, context in {
        "cdk.json": {"context": {"colour": "red", "size": "small", "stack_name": "Theirs"}},
        "cdk.context.json": {"zone": "a", "size": "looked up"},
    }.items():
        (app.checkout / name).write_text(json.dumps(context))

    assert app.all_contexts == {
        "colour": "red",
        "size": "small",
        "zone": "a",
        "wiring": "queued",
        "stack_name": "Tidemark",
    }


def test_an_app_that_writes_nothing_is_told_how(app: App) -> None:
    (app.checkout / "stack" / "app.py").write_text("")

    with pytest.raises(TidemarkError, match=r"must end with `app.synth\(\)`"):
        synthesise(app)


def test_an_app_that_looks_something_up_is_told_where_it_goes(tmp_path: Path) -> None:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "t"}}
    manifest = {"artifacts": {"A": stack}, "missing": [{"key": "vpc-provider:vpc"}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(TidemarkError, match=r"looks up vpc-provider:vpc .* cdk.context.json"):
        Assembly.read(tmp_path)


def test_the_outputs_that_a_stack_always_has_are_those_without_a_condition(tmp_path: Path) -> None:
    outputs = {"Always": {"Value": "a"}, "Sometimes": {"Value": "b", "Condition": "c"}}

    assert Assembly(tmp_path, "A", {"Outputs": outputs}).declared_outputs == ("Always",)
    assert Assembly(tmp_path, "A", {"Resources": {}}).declared_outputs == ()


def test_an_app_with_several_stacks_is_refused(tmp_path: Path) -> None:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "t"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"A": stack, "B": stack}}))

    with pytest.raises(TidemarkError, match="must have one stack and has 2"):
        Assembly.read(tmp_path)


def test_old_assemblies_go_and_recent_ones_stay(app: App) -> None:
    folder = app.checkout / "build" / "synth"
    for age in range(12):
        (folder / f"old{age}").mkdir(parents=True)
        os.utime(folder / f"old{age}", (time.time() - 7200 - age,) * 2)
    (folder / "recent").mkdir()

    made = synthesise(app)

    left = {path.name for path in folder.iterdir()}
    assert {made.folder.name, "recent", "old0"} <= left
    assert len(left) == 8


def test_equal_templates_have_equal_digests() -> None:
    assert template_digest({"a": 1, "b": [1]}) == template_digest({"b": [1], "a": 1})
    assert template_digest({"a": 1}) != template_digest({"a": 2})
