"""The plugin with an app as others write them: several stacks, and the CDK's custom resources."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from acceptance.program import CHECKOUT
from tidemark.aws.connection import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

APP = """
import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway, aws_lambda as lambda_, aws_logs as logs
from aws_cdk import aws_s3 as s3

app = cdk.App()
data = cdk.Stack(app, "Data")
bucket = s3.Bucket(
    data, "Depot", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY
)
cdk.CfnOutput(data, "DepotName", value=bucket.bucket_name)
front = cdk.Stack(app, "Front")
function = lambda_.Function(
    front, "Function", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler",
    code=lambda_.Code.from_inline(
        "def handler(*_):\\n    print('called')\\n    return {'statusCode': 200, 'body': '{}'}"
    ),
    environment={"DEPOT": bucket.bucket_name}, log_retention=logs.RetentionDays.ONE_WEEK,
)
api = apigateway.LambdaRestApi(front, "Api", handler=function)
cdk.CfnOutput(front, "RestApiId", value=api.rest_api_id)
cdk.CfnOutput(front, "ApiStage", value=api.deployment_stage.stage_name)
cdk.CfnOutput(front, "FunctionName", value=function.function_name)
app.synth()
"""
TESTS = """
from tidemark.aws import stacks


def test_the_one_with_the_api_is_the_deployment(deployment, deployments, tidemark_client):
    assert list(deployments) == ["Data", "Front"]
    assert deployment == deployments["Front"]


def test_what_a_custom_resource_did_is_there(deployment, aws, eventually):
    name = f"/aws/lambda/{deployment.outputs['FunctionName']}"

    def logs_are_kept_for_a_week():
        [group] = aws.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        assert group["retentionInDays"] == 7

    eventually(logs_are_kept_for_a_week)


def test_a_bucket_with_something_in_it_is_emptied_and_goes(deployments, aws):
    s3, name = aws.client("s3"), deployments["Data"].outputs["DepotName"]
    s3.put_object(Bucket=name, Key="parcel", Body=b"fragile")

    for stack_name in reversed(deployments):
        stacks.delete(aws, stack_name)

    assert name not in {one["Name"] for one in s3.list_buckets()["Buckets"]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "node_modules").mkdir()
    # The CDK command line alone: the AWS SDK for JavaScript is npm's to bring.
    (tmp_path / "node_modules" / "aws-cdk").symlink_to(CHECKOUT / "node_modules" / "aws-cdk")
    return tmp_path


@pytest.mark.timeout(240)
def test_it_is_deployed_as_it_is(project: Path) -> None:
    session = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tidemark.pytest_plugin"),
            *("-p", "no:cacheprovider", "--tidemark-app", "python app.py"),
        ],
        cwd=project,
        env={**clean_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    if "npm cannot install it" in session.stdout and not clean_environment().get("CI"):
        pytest.skip("npm cannot install anything here")
    assert session.returncode == 0, session.stdout + session.stderr
    assert "3 passed" in session.stdout
    assert not list((project / ".tidemark" / "pytest").rglob("*.*"))
