"""A synthesised template as policies need it: names and ARNs instead of CloudFormation's functions.

An account that nobody has stands in for the one that the template will be deployed to, and each
resource is called by its logical id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "111122223333"
REGION = "eu-west-1"

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "Stack",
    "AWS::URLSuffix": "amazonaws.com",
}
# By resource type, the ARN; https://docs.aws.amazon.com/service-authorization/latest/reference/
_ARNS = {
    "AWS::ApiGateway::RestApi": "arn:aws:execute-api:{region}:{account}:{id}",
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{id}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{id}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{id}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{id}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{id}:*",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{id}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{id}",
}
# What `Ref` returns is the name, but for these.
_REF_IS_ARN = {"AWS::SNS::Topic"}
_NAME_OUTPUT = re.compile(r"(?P<kind>\w+?)(Name|Arn)")


class UnreadableTemplateError(TidemarkError):
    """The template says something in a way that is not understood here."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the template, its properties as they stand there."""

    logical_id: str
    kind: str
    properties: Mapping[str, Any]

    @property
    def has_arn(self) -> bool:
        """Whether its ARN is known here."""
        return self.kind in _ARNS

    @property
    def arn(self) -> str:
        """Its ARN in the account that stands in.

        Raises:
            UnreadableTemplateError: It is not known here.
        """
        if not self.has_arn:
            raise UnreadableTemplateError(
                f"The ARN of a {self.kind} is not known here ({self.logical_id}): teach it to "
                "tidemark/permissions/template.py."
            )
        return _ARNS[self.kind].format(id=self.logical_id, account=ACCOUNT, region=REGION)


@dataclass(frozen=True)
class Template:
    """A synthesised template.

    Attributes:
        content: The template.
    """

    content: Mapping[str, Any]

    @cached_property
    def resources(self) -> Mapping[str, Resource]:
        """All resources by their logical ids."""
        return {
            logical_id: Resource(logical_id, resource["Type"], resource.get("Properties", {}))
            for logical_id, resource in self.content["Resources"].items()
        }

    def of_kind(self, kind: str) -> list[Resource]:
        """The resources of a type."""
        return [one for one in self.resources.values() if one.kind == kind]

    @cached_property
    def named(self) -> Mapping[str, Resource]:
        """The resources that outputs name, by what they are called there.

        The output `CommandTableName` names the resource `CommandTable`, `TopicArn` the `Topic`.
        """
        found = {}
        for output, declared in self.content.get("Outputs", {}).items():
            name = _NAME_OUTPUT.fullmatch(output)
            logical_id = _logical_id(declared["Value"])
            resource = self.resources.get(logical_id or "")
            if name is not None and resource is not None:
                found[name["kind"]] = resource
        return found

    def name(self, resource: Resource) -> str:
        """What people call a resource: as the outputs do, else its logical id."""
        names = (name for name, one in self.named.items() if one == resource)
        return next(names, resource.logical_id)

    def resolve(self, value: Any) -> Resource:
        """The resource that a value refers to.

        Raises:
            UnreadableTemplateError: It refers to none of this template.
        """
        logical_id = _logical_id(value)
        if logical_id is None or logical_id not in self.resources:
            raise UnreadableTemplateError(f"{value} in the template refers to no resource of it.")
        return self.resources[logical_id]

    def text(self, value: Any) -> str:
        """A value as text, with CloudFormation's functions applied.

        Raises:
            UnreadableTemplateError: It has a function that is not known here.
        """
        match value:
            case str():
                return value
            case bool():
                return str(value).lower()
            case {"Ref": str(name)} if len(value) == 1:
                return self._ref(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]} if name in self.resources:
                return self._attribute(self.resources[name], attribute)
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(map(self.text, parts))
            case {"Fn::Sub": pattern}:
                return self._substitute(*([pattern, {}] if isinstance(pattern, str) else pattern))
        raise UnreadableTemplateError(
            f"{value} in the template is not understood: teach it to "
            "tidemark/permissions/template.py."
        )

    def texts(self, value: Any) -> tuple[str, ...]:
        """A value, or each of a list, as text."""
        return tuple(map(self.text, value if isinstance(value, list) else [value]))

    def _ref(self, name: str) -> str:
        if name in _PSEUDO_PARAMETERS:
            return _PSEUDO_PARAMETERS[name]
        if name not in self.resources:
            raise UnreadableTemplateError(f"The template refers to {name}, which it does not have.")
        resource = self.resources[name]
        return resource.arn if resource.kind in _REF_IS_ARN else name

    def _attribute(self, resource: Resource, attribute: str) -> str:
        return resource.arn if attribute.endswith("Arn") else resource.logical_id

    def _substitute(self, pattern: str, variables: Mapping[str, Any]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in variables:
                return self.text(variables[name])
            logical_id, dot, attribute = name.partition(".")
            return self.text(
                {"Fn::GetAtt": [logical_id, attribute]} if dot else {"Ref": logical_id}
            )

        return re.sub(r"\$\{([^}!]+)\}", value, pattern)


def _logical_id(value: Any) -> str | None:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
    return None
