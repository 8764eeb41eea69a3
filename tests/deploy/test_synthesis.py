from __future__ import annotations

import ast
import json
import os
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock, Timeout

from tidemark.deploy import synthesis
from tidemark.deploy.synthesis import App
from tidemark.errors import TidemarkError
from tidemark.host.processes import Children

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.deploy.assembly import Assembly

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
    print([one for one in os.environ.items() if one[0].startswith(("AWS_", "CDK_"))], file=runs)
"""
# Where an app, or what it imports, could find credentials of the user's.
SHUT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


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
    [stack] = first.stacks
    assert stack.template == {"Resources": {}, "Description": "Tidemark"}


def test_the_app_sees_its_context_and_neither_settings_nor_credentials_of_the_users(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "1")

    synthesise(app)

    [line] = runs(app)
    found = dict(ast.literal_eval(line))
    assert found.keys() == {*SHUT, "CDK_CONTEXT_JSON", "CDK_OUTDIR"}
    assert SHUT.items() <= found.items()


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

    assert [one for one in (app.checkout / "build" / "synth").iterdir() if one.is_dir()] == []


def test_an_app_that_ignores_the_stack_name_is_refused(app: App) -> None:
    path = app.checkout / "stack" / "app.py"
    path.write_text(MINIMAL_APP.replace('["stack_name"]', '.get("x", "Fixed")'))

    with pytest.raises(TidemarkError, match="named a stack Fixed where Tidemark was asked"):
        synthesise(app)


def test_an_app_may_name_its_stack_where_nothing_else_is(app: App) -> None:
    path = app.checkout / "stack" / "app.py"
    path.write_text(MINIMAL_APP.replace('["stack_name"]', '.get("x", "Fixed")'))

    [stack] = synthesise(replace(app, may_name_itself=True)).stacks
    assert stack.name == "Fixed"


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


def test_old_assemblies_go_and_recent_ones_stay(app: App) -> None:
    folder = app.checkout / "build" / "synth"
    for age in range(12):
        (folder / f"old{age}").mkdir(parents=True)
        os.utime(folder / f"old{age}", (time.time() - 7200 - age,) * 2)
    (folder / "recent").mkdir()

    made = synthesise(app)

    left = {path.name for path in folder.iterdir() if path.is_dir()}
    assert {made.folder.name, "recent", "old0"} <= left
    assert len(left) == 8


TWO_STACKS = MINIMAL_APP.replace(
    '{"artifacts": {"T": stack,',
    '{"artifacts": {"T": stack, "U": {**stack, "properties": '
    '{**stack["properties"], "stackName": name + "-Two"}},',
)


def test_an_assembly_is_not_found_while_it_is_removed(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = app.checkout / "build" / "synth"
    removed: list[Path] = []

    def remove(path: Path, **_: object) -> None:
        if path.parent == folder and path.is_dir() and not path.name.startswith("."):
            # Whoever looks for it must wait.
            with pytest.raises(Timeout), FileLock(folder / ".lock", timeout=0):
                pass
            removed.append(path)

    for age in range(12):
        (folder / f"old{age}").mkdir(parents=True)
        os.utime(folder / f"old{age}", (time.time() - 7200 - age,) * 2)
    monkeypatch.setattr(shutil, "rmtree", remove)

    synthesise(app)

    assert len(removed) == 5


def test_what_is_found_counts_as_used(app: App) -> None:
    made = synthesise(app)
    os.utime(made.folder, (0, 0))

    assert synthesis.find(app) == made

    assert time.time() - made.folder.stat().st_mtime < 3600


def test_tidemarks_own_app_has_one_stack(app: App) -> None:
    (app.checkout / "stack" / "app.py").write_text(TWO_STACKS)

    with pytest.raises(TidemarkError, match="must have one stack and has Tidemark, Tidemark-Two"):
        synthesise(app)


def test_another_app_may_have_several_whose_names_begin_as_it_is_told(app: App) -> None:
    (app.checkout / "stack" / "app.py").write_text(TWO_STACKS)

    made = synthesise(replace(app, command=("python3", "stack/app.py")))

    assert [one.name for one in made.stacks] == ["Tidemark", "Tidemark-Two"]
