"""What is read of a cloud assembly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.aws.stacks import template_digest
from tidemark.deploy.assembly import Assembly, SynthesisedStack
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from pathlib import Path


def stack(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    """The artifact of a stack, as the CDK writes it."""
    return {
        "type": "aws:cloudformation:stack",
        "dependencies": [*needs, f"{name}.assets"],
        "properties": {"templateFile": f"{name}.template.json", "stackName": name.lower()},
        **more,
    }


def write(folder: Path, artifacts: dict[str, Any], **manifest: Any) -> None:
    folder.mkdir(exist_ok=True)
    for name in artifacts:
        (folder / f"{name}.template.json").write_text(json.dumps({"Description": name}))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts, **manifest}))


def names(folder: Path) -> list[str]:
    return [one.name for one in Assembly.read(folder).stacks]


def test_a_stack_comes_after_those_that_it_depends_on(tmp_path: Path) -> None:
    artifacts = {
        "Api": stack("Api", "Data", "Events"),
        "Events": stack("Events", "Data"),
        "Data": stack("Data"),
        "Data.assets": {"type": "cdk:asset-manifest"},
    }
    write(tmp_path, artifacts)

    assert names(tmp_path) == ["data", "events", "api"]


def test_the_stacks_of_a_stage_are_read_with_the_names_that_the_cdk_has_for_them(
    tmp_path: Path,
) -> None:
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    write(tmp_path, {"First": stack("First"), "assembly-Prod": nested})
    write(tmp_path / "assembly-Prod", {"ProdApi": stack("ProdApi", displayName="Prod/Api")})

    assert [one.id for one in Assembly.read(tmp_path).stacks] == ["First", "Prod/Api"]


def test_where_an_app_fixes_account_and_region_they_are_known(tmp_path: Path) -> None:
    artifacts = {
        "Any": stack("Any", environment="aws://unknown-account/unknown-region"),
        "Fixed": stack("Fixed", environment="aws://123456789012/eu-west-1"),
    }
    write(tmp_path, artifacts)

    found = {one.name: (one.account, one.region) for one in Assembly.read(tmp_path).stacks}

    assert found == {"any": (None, None), "fixed": ("123456789012", "eu-west-1")}


def test_an_app_that_looks_something_up_is_told_where_it_goes(tmp_path: Path) -> None:
    write(tmp_path, {"A": stack("A")}, missing=[{"key": "vpc-provider:vpc"}])

    with pytest.raises(TidemarkError, match=r"looks up vpc-provider:vpc .* cdk.context.json"):
        Assembly.read(tmp_path)


def test_an_app_without_a_stack_is_said_to_have_none(tmp_path: Path) -> None:
    write(tmp_path, {})

    with pytest.raises(TidemarkError, match="The CDK app has no stack"):
        Assembly.read(tmp_path)


def test_the_outputs_that_a_stack_always_has_are_those_without_a_condition() -> None:
    outputs = {"Always": {"Value": "a"}, "Sometimes": {"Value": "b", "Condition": "c"}}

    assert SynthesisedStack("A", "A", {"Outputs": outputs}).declared_outputs == ("Always",)
    assert SynthesisedStack("A", "A", {"Resources": {}}).declared_outputs == ()


def test_equal_templates_have_equal_digests() -> None:
    assert template_digest({"a": 1, "b": [1]}) == template_digest({"b": [1], "a": 1})
    assert template_digest({"a": 1}) != template_digest({"a": 2})


def test_a_pinned_copy_goes_to_one_account_and_region_with_the_same_templates(
    tmp_path: Path,
) -> None:
    made, pinned = tmp_path / "made", tmp_path / "pinned"
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    anywhere = {"environment": "aws://unknown-account/unknown-region"}
    write(made, {"First": stack("First", **anywhere), "assembly-Prod": nested})
    write(made / "assembly-Prod", {"Second": stack("Second", **anywhere)})
    pinned.mkdir()
    (pinned / "of-another-time").touch()

    copy = Assembly.read(made).pinned(pinned, "123456789012", "eu-west-1")

    assert {(one.account, one.region) for one in copy.stacks} == {("123456789012", "eu-west-1")}
    for name in ("First.template.json", "assembly-Prod/Second.template.json"):
        assert (pinned / name).read_bytes() == (made / name).read_bytes()
    assert not (pinned / "of-another-time").exists()
    assert {one.account for one in Assembly.read(made).stacks} == {None}
