"""Functions in Node.js find the AWS SDK, wherever they are, and buckets keep their tags."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from moto import mock_aws

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.deploy import custom_resources
from tidemark.deploy.assembly import Assembly, SynthesisedStack
from tidemark.deploy.cdk import Cdk
from tidemark.errors import TidemarkError
from tidemark.host.processes import Children
from tidemark.host.progress import Steps

if TYPE_CHECKING:
    from pathlib import Path

NPM = """
import sys
from pathlib import Path
prefix = Path(sys.argv[sys.argv.index("--prefix") + 1])
for package in sys.argv[sys.argv.index("--prefix") + 2:]:
    (prefix / "node_modules" / package.removesuffix("@3")).mkdir(parents=True)
"""
FAILING_NPM = """
print("npm error code ECONNREFUSED\\nnpm error FetchError: request to http://npm failed")
print("npm error A complete log of this run is elsewhere")
raise SystemExit(1)
"""
BUCKET = {
    "Type": "AWS::S3::Bucket",
    "Properties": {"Tags": [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}]},
}


def assembly_of(folder: Path, *, script: str = "", **resources: Any) -> Assembly:
    code = folder / "cdk.out" / "asset.1" / "index.js"
    code.parent.mkdir(parents=True)
    code.write_text(script)
    (code.parent / "node_modules").mkdir()
    (code.parent / "node_modules" / "its-own.js").write_text('require("@aws-sdk/client-sqs")')
    stack = SynthesisedStack("App", "App", {"Resources": resources})
    return Assembly(folder / "cdk.out", (stack,))


@dataclass(frozen=True)
class Place:
    """A project, and the folder in which functions look for packages."""

    project: Path

    @property
    def modules(self) -> Path:
        return self.project / "tmp" / "node_modules"

    def bring(self, assembly: Assembly) -> list[str]:
        cdk = Cdk(self.project, self.project / "state", Children())
        custom_resources.bring_sdk(assembly, self.modules, cdk, Steps())
        return sorted(path.name for path in self.modules.glob("@aws-sdk/*"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(custom_resources, "npm", lambda: [sys.executable, "-c", NPM])
    return Place(tmp_path)


@pytest.mark.parametrize(
    "script",
    [
        'var i=G(require("@aws-sdk/client-s3")),w=!1;',
        'import{S3Client as S}from"@aws-sdk/client-s3";',
        "const { S3 } = await import('@aws-sdk/client-s3');",
    ],
)
def test_what_a_function_imports_is_needed_and_what_it_bundles_is_not(
    tmp_path: Path, script: str
) -> None:
    assert custom_resources.packages_of(assembly_of(tmp_path, script=script)) == [
        "@aws-sdk/client-s3"
    ]


def test_so_is_what_the_code_in_a_template_imports(tmp_path: Path) -> None:
    code = {"ZipFile": 'const { SQS } = require("@aws-sdk/client-sqs");'}
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Code": code}}

    assert custom_resources.packages_of(assembly_of(tmp_path, F=function)) == [
        "@aws-sdk/client-sqs"
    ]


@pytest.mark.parametrize(
    ("service", "package"),
    [("SSM", "client-ssm"), ("SecretsManager", "client-secrets-manager"), ("sfn", "client-sfn")],
)
def test_and_what_a_custom_resource_calls(tmp_path: Path, service: str, package: str) -> None:
    call = json.dumps({"service": service, "action": "putParameter"}, separators=(",", ":"))
    resource = {"Type": "Custom::AWS", "Properties": {"Create": {"Fn::Join": ["", [call]]}}}
    renamed = 'var t={route53:"route-53",secretsmanager:"secrets-manager"}'

    assert custom_resources.packages_of(assembly_of(tmp_path, script=renamed, Custom=resource)) == [
        f"@aws-sdk/{package}"
    ]


def test_npm_brings_what_is_not_there_yet(place: Place) -> None:
    assembly = assembly_of(place.project, script='require("@aws-sdk/client-s3")')

    assert place.bring(assembly) == ["client-s3"]
    assert place.bring(assembly) == ["client-s3"]  # npm here makes no folder twice


def test_nothing_is_brought_where_nothing_imports_it(place: Place) -> None:
    place.bring(assembly_of(place.project, script="exports.handler = () => 1;"))

    assert not place.modules.exists()


def test_what_the_project_has_is_taken_from_there_and_stays_as_it_is(place: Place) -> None:
    theirs = place.project / "node_modules" / "@aws-sdk"
    (theirs / "client-s3").mkdir(parents=True)
    one = assembly_of(place.project / "one", script='require("@aws-sdk/client-s3")')
    other = assembly_of(place.project / "other", script='require("@aws-sdk/client-ssm")')

    assert place.bring(one) == ["client-s3"]
    assert (place.modules / "@aws-sdk").resolve() == theirs
    assert place.bring(other) == ["client-ssm"]
    assert [path.name for path in theirs.iterdir()] == ["client-s3"]


def test_where_npm_fails_the_sentence_says_what_is_missing_and_how_to_get_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_resources, "npm", lambda: [sys.executable, "-c", FAILING_NPM])

    with pytest.raises(
        TidemarkError,
        match=r"import @aws-sdk/client-s3, which .* install it: FetchError: request to http://npm "
        r"failed \(all of it: .*`npm install @aws-sdk/client-s3`",
    ):
        place.bring(assembly_of(place.project, script='require("@aws-sdk/client-s3")'))


@mock_aws
def test_a_bucket_that_is_to_be_emptied_has_its_tags_again() -> None:
    caller = cast("Any", object())  # moto's account, by keys that are named
    clients = AwsClients(Connection("us-east-1", None, EMULATOR_CREDENTIALS, caller=caller))
    stack = SynthesisedStack("App", "App", {"Resources": {"Full": BUCKET}})
    clients.cloudformation.create_stack(StackName="App", TemplateBody=json.dumps(stack.template))
    s3 = clients.client("s3")
    [bucket] = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    s3.delete_bucket_tagging(Bucket=bucket)

    for _ in range(2):
        custom_resources.tag_buckets(stack, clients)
        found = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
        assert {"Key": "aws-cdk:auto-delete-objects", "Value": "true"} in found
