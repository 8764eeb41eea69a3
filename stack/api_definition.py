"""From ``openapi.yaml``, as people read it, to the definition that API Gateway understands.

API Gateway reads a part of OpenAPI: references to schemas are followed, references to parameters,
headers and responses are not; examples are ignored but would count towards the template's size.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

OPENAPI = Path(__file__).with_name("openapi.yaml")

_SCHEMA_REFERENCE = "#/components/schemas/"
_READ_BY_PEOPLE_ONLY = frozenset({"example", "examples", "tags", "license"})


def gateway_definition(
    *, name: str, resolve_uri: Callable[[str], str], document: Path = OPENAPI
) -> dict[str, Any]:
    """Returns the definition of the API as API Gateway is given it.

    Args:
        name: What the API is called where it is deployed.
        resolve_uri: Puts the functions' ARNs into the URI of an integration.
        document: The OpenAPI document.
    """
    source: dict[str, Any] = yaml.safe_load(document.read_text(encoding="utf-8"))

    def rewritten(node: Any, *, names_are_ours: bool = False) -> Any:
        """Copies a node; the keys of a map of properties are names, not keywords."""
        if isinstance(node, list):
            return [rewritten(item) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str) and not reference.startswith(_SCHEMA_REFERENCE):
            return rewritten(_target(source, reference))
        return {
            key: resolve_uri(value)
            if key == "uri"
            else rewritten(value, names_are_ours=key == "properties")
            for key, value in node.items()
            if names_are_ours or key not in _READ_BY_PEOPLE_ONLY
        }

    definition: dict[str, Any] = rewritten(source)
    definition["info"]["title"] = name
    definition["components"] = {
        kind: definition["components"][kind] for kind in ("schemas", "securitySchemes")
    }
    return definition


def _target(source: dict[str, Any], reference: str) -> Any:
    """Returns what a reference within the document points at."""
    node: Any = source
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node
