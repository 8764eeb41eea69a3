"""The roles with which GitHub deploys to AWS, as a CloudFormation template in JSON.

One may deploy, from one environment and from main alone; one may look, for pull requests. Account
and region are those in which the template is deployed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

PROVIDER = "token.actions.githubusercontent.com"
BRANCH = "refs/heads/main"
NOBODYS = "<owner>/<repository>"
"""Stands where no repository is named; none can be called so, and be trusted by mistake."""

_AUDIENCE = "sts.amazonaws.com"
# In a policy, an asterisk, a colon or a brace would say more than a name.
_NAME = r"[A-Za-z0-9_.-]+"
# Those of the CDK's bootstrap that a deploy assumes; what CloudFormation may do is theirs to say.
_CDK_ROLES = ("deploy", "file-publishing")


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of one repository, for one environment and one stack.

    Attributes:
        repository: The repository, as `owner/name`.
        environment: GitHub's environment that is deployed to.
        stack_name: The stack.
    """

    repository: str
    environment: str
    stack_name: str

    def template(self) -> dict[str, Any]:
        """A template with both roles, and outputs that are called as the workflow's variables."""
        deploy_claims = {"environment": self.environment, "ref": BRANCH}
        return {
            "Description": f"Roles with which {self.repository} deploys {self.stack_name}",
            "Resources": {
                "DeployRole": _role(
                    self._trust(f"environment:{self.environment}", deploy_claims),
                    [*self._what_up_calls(), self._reads(self.stack_name, "CDKToolkit")],
                ),
                "DiffRole": _role(
                    self._trust("pull_request", {}), [self._reads(self.stack_name, "CDKToolkit")]
                ),
            },
            "Outputs": {
                "AwsRoleArn": {"Value": {"Fn::GetAtt": ["DeployRole", "Arn"]}},
                "AwsDiffRoleArn": {"Value": {"Fn::GetAtt": ["DiffRole", "Arn"]}},
            },
        }

    def _trust(self, context: str, claims: dict[str, str]) -> dict[str, Any]:
        """Who may take a role on: a job of the repository, in a context, with some claims.

        A subject has names alone, or in repositories made since July 2026 ids behind them; the
        claims say the same exactly. A claim that a token lacks is not equal.
        """
        owner, _, name = self.repository.partition("/")
        wanted = {"aud": _AUDIENCE, "repository": self.repository, **claims}
        return {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": _arn("iam", f"oidc-provider/{PROVIDER}", region="")},
            "Condition": {
                "StringEquals": {f"{PROVIDER}:{claim}": value for claim, value in wanted.items()},
                "StringLike": {
                    f"{PROVIDER}:sub": [
                        f"repo:{self.repository}:{context}",
                        f"repo:{owner}@*/{name}@*:{context}",
                    ]
                },
            },
        }

    def _what_up_calls(self) -> list[dict[str, Any]]:
        """What `tidemark up` and `status` call themselves, besides the CDK."""
        ours = f"{self.stack_name}-*"
        cdk_roles = [
            _arn(
                "iam",
                f"role/cdk-hnb659fds-{one}-role-${{AWS::AccountId}}-${{AWS::Region}}",
                region="",
            )
            for one in _CDK_ROLES
        ]
        return [
            _allow(["sts:AssumeRole"], *cdk_roles),
            _allow(
                [
                    # A first creation that failed leaves but its name, which is removed.
                    "cloudformation:DeleteStack",
                    "cloudformation:DescribeStackEvents",
                    "cloudformation:DescribeStackResources",
                ],
                _arn("cloudformation", f"stack/{self.stack_name}/*"),
            ),
            _allow(["apigateway:GET"], _arn("apigateway", "/account", account="")),
            # An API has an id, not a name: the stage is all that can be said of it.
            _allow(["execute-api:Invoke"], _arn("execute-api", "*/v1/*")),
            _allow(
                ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Scan"],
                _arn("dynamodb", f"table/{ours}"),
            ),
            _allow(["sqs:GetQueueAttributes", "sqs:GetQueueUrl"], _arn("sqs", ours)),
            # Why the functions do not work, if they do not.
            _allow(
                ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
                _arn("lambda", f"function:{ours}"),
            ),
            _allow(
                ["logs:FilterLogEvents"],
                _arn("logs", f"log-group:{ours}"),
                _arn("logs", f"log-group:/aws/lambda/{ours}"),
            ),
        ]

    def _reads(self, *stack_names: str) -> dict[str, Any]:
        stacks = [_arn("cloudformation", f"stack/{name}/*") for name in stack_names]
        return _allow(["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], *stacks)


def _role(trust: dict[str, Any], statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": _document(trust),
            "Policies": [{"PolicyName": "Tidemark", "PolicyDocument": _document(*statements)}],
        },
    }


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(actions: list[str], *resources: dict[str, str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def _arn(
    service: str,
    resource: str,
    *,
    region: str = "${AWS::Region}",
    account: str = "${AWS::AccountId}",
) -> dict[str, str]:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{region}:{account}:{resource}"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the template for what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.aws_roles", description=__doc__)
    parser.add_argument("--repository", help="yours, as owner/name")
    parser.add_argument("--environment", help="GitHub's environment", default="testbed")
    parser.add_argument("--stack-name", help="the stack", default="Tidemark")
    chosen = parser.parse_args(arguments)
    for what, given, pattern in (
        ("REPOSITORY", chosen.repository or "a/b", f"{_NAME}/{_NAME}"),
        ("ENVIRONMENT", chosen.environment, _NAME),
        ("STACK_NAME", chosen.stack_name, _NAME),
    ):
        if not re.fullmatch(pattern, given):
            parser.exit(
                ExitCode.NOT_STARTED, f"{given} is no {what}: give it the form {pattern}.\n"
            )
    if chosen.repository is None:
        sys.stderr.write("Nobody is trusted yet: name your repository, REPOSITORY=owner/name.\n")
    roles = Roles(chosen.repository or NOBODYS, chosen.environment, chosen.stack_name)
    print(json.dumps(roles.template(), indent=2))  # noqa: T201 -- what was asked for


if __name__ == "__main__":
    main()
