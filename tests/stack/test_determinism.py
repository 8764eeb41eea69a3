"""The same template and the same asset come out for every target, machine and checkout."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stack.app import add_stack, new_app
from stack.cqrs_stack import Choices

CHECKOUT = Path(__file__).resolve().parents[2]
LONG_AGO = 1_000_000_000


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Synthesises from the checkout for nobody in particular, and from a copy for a target."""
    copy = tmp_path_factory.mktemp("elsewhere") / "tidemark"
    for folder in ("stack", "functions"):
        shutil.copytree(CHECKOUT / folder, copy / folder)
    for path in copy.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CDK_", "JSII_"))
    }
    for_a_target = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
        "CDK_DEFAULT_ACCOUNT": "000000000000",
        "CDK_DEFAULT_REGION": "eu-central-1",
        "TZ": "Pacific/Chatham",
        # What the CDK command line says unless it is told otherwise.
        "CDK_CONTEXT_JSON": json.dumps(
            {
                "aws:cdk:enable-path-metadata": True,
                "aws:cdk:enable-asset-metadata": True,
                "aws:cdk:version-reporting": True,
                "aws:cdk:bundling-stacks": ["**"],
            }
        ),
    }
    outdirs = (copy.parent / "here", copy.parent / "there")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "stack.app"], cwd=cwd, env=environment | {"CDK_OUTDIR": str(out)}
        )
        for cwd, environment, out in (
            (CHECKOUT, clean, outdirs[0]),
            (copy, clean | for_a_target, outdirs[1]),
        )
    ]
    assert [process.wait(timeout=90) for process in running] == [0, 0]
    return outdirs


def test_the_template_is_the_same_for_every_target(assemblies: tuple[Path, Path]) -> None:
    here, there = ((outdir / "Tidemark.template.json").read_bytes() for outdir in assemblies)
    assert here == there
    assert len(here) > 10_000


def test_the_asset_manifest_is_the_same_for_every_target(assemblies: tuple[Path, Path]) -> None:
    here, there = ((outdir / "Tidemark.assets.json").read_bytes() for outdir in assemblies)
    assert here == there
    assert len(json.loads(here)["files"]) == 2  # the template and the code


def test_the_asset_is_the_same_from_every_checkout(assemblies: tuple[Path, Path]) -> None:
    (here,), (there,) = (list(outdir.glob("asset.*.zip")) for outdir in assemblies)
    assert here.name == there.name
    assert here.read_bytes() == there.read_bytes()


def test_stacks_of_other_names_have_the_same_template(
    assemblies: tuple[Path, Path], tmp_path: Path
) -> None:
    app = new_app(tmp_path)
    add_stack(app, stack_name="Elsewhere", choices=Choices())
    app.synth()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["artifacts"]["Tidemark"]["properties"]["stackName"] == "Elsewhere"
    template, _ = assemblies
    assert (tmp_path / "Tidemark.template.json").read_bytes() == (
        template / "Tidemark.template.json"
    ).read_bytes()
