"""What a template declares beside what is deployed: which properties did not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INTRINSICS = ("Ref", "Condition")


def missing(declared: Any, deployed: Any, path: str = "") -> Iterator[str]:
    """Name what is declared and not deployed, or not so.

    What CloudFormation computes (a reference, a function) only has to be there. Names are
    compared whatever their case: CloudFormation and the services spell them differently.

    Args:
        declared: A value of the template.
        deployed: The value that the service describes; None when it has none.
        path: Where the value is, for the names.
    """
    if deployed is None:
        yield path
    elif _is_computed(declared):
        return
    elif isinstance(declared, dict):
        found = _by_lower_name(deployed)
        for name, value in declared.items():
            yield from missing(value, found.get(name.lower()), f"{path}.{name}" if path else name)
    elif isinstance(declared, list):
        yield from _missing_entries(declared, deployed, path)
    elif _text(declared) != _text(deployed):
        yield f"{path} ({_short(deployed)} instead of {_short(declared)})"


def _missing_entries(declared: list[Any], deployed: Any, path: str) -> Iterator[str]:
    if not isinstance(deployed, list) or len(deployed) < len(declared):
        yield path
        return
    for entry in declared:
        # Services return entries in an order of their own.
        if all(any(missing(entry, one)) for one in deployed):
            yield path
            return


def _is_computed(declared: Any) -> bool:
    if not isinstance(declared, dict) or len(declared) != 1:
        return False
    [name] = declared
    return name in _INTRINSICS or name.startswith("Fn::")


def _by_lower_name(deployed: Any) -> Mapping[str, Any]:
    if not isinstance(deployed, dict):
        return {}
    return {name.lower(): value for name, value in deployed.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _short(value: Any) -> str:
    return _text(value)[:40]
