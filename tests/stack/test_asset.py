"""The code asset: small, complete, and the same bytes wherever it is built."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from stack import asset

SIZE_LIMIT_BYTES = 3 * 1024 * 1024
# What the Lambda runtime has besides the standard library.
RUNTIME_HAS = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")
HANDLERS = ("command_handler", "outbox_sweeper", "query_handler", "update_processor")
VARIABLES = (
    "COMMAND_TABLE_NAME",
    "QUERY_TABLE_NAME",
    "TOPIC_ARN",
    "STACK_NAME",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asset.build(tmp_path_factory.mktemp("asset") / "functions.zip")


def test_the_asset_is_small(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        unzipped_bytes = sum(entry.file_size for entry in opened.infolist())
    assert 100_000 < unzipped_bytes <= SIZE_LIMIT_BYTES


def test_the_asset_holds_code_and_nothing_else(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert {name.split("/")[0] for name in names} == {
        "aws_lambda_powertools",
        "functions",
        "typing_extensions.py",
    }
    assert all(name.endswith(".py") for name in names)
    assert {f"functions/{package}/entry.py" for package in HANDLERS} <= set(names)
    assert not any(name.startswith("aws_lambda_powertools/event_handler") for name in names)


def test_entries_say_nothing_about_when_where_and_by_whom_they_were_made(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.create_system for entry in entries} == {3}


def test_the_clock_and_file_times_do_not_show(tmp_path: Path, archive: Path) -> None:
    copy = tmp_path / "copy" / "functions"
    for path in asset.SOURCES.rglob("*.py"):
        target = copy / path.relative_to(asset.SOURCES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        target.chmod(0o600)
        os.utime(target, (0, 0))
    (copy / "README.md").write_text("not code")
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "handler.cpython-313.pyc").write_bytes(b"not source")
    assert asset.build(tmp_path / "again.zip", copy).read_bytes() == archive.read_bytes()


def test_changed_code_is_another_asset(tmp_path: Path, archive: Path) -> None:
    copy = tmp_path / "functions"
    copy.mkdir()
    (copy / "__init__.py").write_text("changed = True\n")
    assert asset.build(tmp_path / "other.zip", copy).read_bytes() != archive.read_bytes()


def test_every_handler_imports_from_the_asset_with_only_the_runtime_beside_it(
    tmp_path: Path, archive: Path
) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    installed = Path(boto3.__file__).parents[1]
    for name in RUNTIME_HAS:
        (runtime / name).symlink_to(installed / name)
    program = f"""
import importlib, sys
sys.path[:0] = {[str(archive), str(runtime)]!r}
for name in {HANDLERS!r}:
    assert callable(importlib.import_module(f"functions.{{name}}.entry").handle)
bundled = ("functions", "aws_lambda_powertools", "typing_extensions")
for name, module in sys.modules.items():
    if name.split(".")[0] in bundled:
        assert module.__file__.startswith({str(archive)!r}), module.__file__
"""
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env=dict.fromkeys(VARIABLES, "any") | {"AWS_DEFAULT_REGION": "eu-central-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr


def test_a_missing_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asset, "_POWERTOOLS_PARTS", ("gone/*.py",))
    with pytest.raises(RuntimeError, match=r"aws-lambda-powertools has no .*gone"):
        asset.build(tmp_path / "functions.zip")
