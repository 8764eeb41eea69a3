"""DynamoDB items as plain dictionaries of strings, integers and maps."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_to_attribute = TypeSerializer().serialize
_from_attribute = TypeDeserializer().deserialize

Item = dict[str, Any]


def to_item(values: Mapping[str, Any]) -> Item:
    """Give every value its DynamoDB type."""
    return {name: _to_attribute(value) for name, value in values.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Take the DynamoDB types off; numbers become integers where they are."""
    return {name: _plain(_from_attribute(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return value
