"""What a workload of one's own may get wrong, in sentences that name the class and the method."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import traceback
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tidemark.errors import NotStartedError, TidemarkError
from tidemark.workloads.own import Accepted, Event, OwnWorkload, Refused, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.own import Command

_REFUSALS = range(400, 500)
_GAVE_UP = 408
_GUIDE = "docs/own-workload.md says what it must be"


class WorkloadError(TidemarkError):
    """A workload of one's own raised, or said something that cannot be."""


def find(name: str, root: Path) -> type[OwnWorkload]:
    """The class of a name such as `parcels_history:Parcels`.

    Args:
        name: A module and a class in it.
        root: Where modules are looked for as well.

    Raises:
        NotStartedError: There is none, or it lacks something.
    """
    module_name, _, class_name = name.partition(":")
    if not module_name or not class_name:
        raise NotStartedError(f"A workload is named as MODULE:CLASS, and {name!r} is not.")
    if str(root) not in sys.path:
        sys.path.append(str(root))
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise NotStartedError(
            f"The workload {name} cannot be imported from {root} ({_said(error)})."
        ) from error
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, OwnWorkload)):
        what = "has no such class" if found is None else "is no subclass of OwnWorkload"
        raise NotStartedError(f"The workload {name} {what} (in {module.__file__}): {_GUIDE}.")
    if found.__abstractmethods__:
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise NotStartedError(f"The workload {name} lacks {missing}: {_GUIDE}.")
    for method, meant in inspect.getmembers(OwnWorkload, inspect.isfunction):
        _check_arguments(name, found, method, list(inspect.signature(meant).parameters))
    return found


def _check_arguments(name: str, kind: type, method: str, wanted: list[str]) -> None:
    if isinstance(inspect.getattr_static(kind, method), staticmethod | classmethod):
        wanted = wanted[1:]
    try:
        inspect.signature(getattr(kind, method)).bind(*wanted)
    except TypeError as error:
        raise NotStartedError(
            f"The workload {name} has a method {method} that cannot be called with "
            f"({', '.join(wanted)}): {error}."
        ) from error


def make(kind: type[OwnWorkload], deployment: Deployment, aws: AwsClients) -> OwnWorkload:
    """Make the workload of a deployment.

    Raises:
        WorkloadError: Its constructor raised.
    """
    with naming(kind, "__init__"):
        return kind(deployment, aws)


@contextmanager
def naming(kind: type[OwnWorkload], method: str, about: str = "") -> Iterator[None]:
    """Have what a method raises say whose it is.

    Args:
        kind: The class.
        method: Its method.
        about: What it was called for, if that helps.

    Raises:
        WorkloadError: It raised.
    """
    try:
        yield
    except WorkloadError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if one.filename == inspect.getfile(kind)]
        where = f", at {own[-1].filename}:{own[-1].lineno}" if own else ""
        raise WorkloadError(
            f"{kind.__name__}.{method} raised {_said(error)}{about and f' for {about}'}{where}."
        ) from error


def expect(kind: type[OwnWorkload], method: str, value: Any, *wanted: type) -> None:
    """See that what a method gave is of a type that it may give, and so are its fields.

    Raises:
        WorkloadError: It is not.
    """
    if not isinstance(value, wanted):
        names = " or ".join(one.__name__ for one in wanted)
        raise WorkloadError(
            f"{kind.__name__}.{method} gave {_shown(value)}, and must give {names}."
        )
    if isinstance(value, Accepted | Refused | View | Event):
        _check_fields(kind, method, value)


def _check_fields(
    kind: type[OwnWorkload], method: str, value: Accepted | Refused | View | Event
) -> None:
    for one in fields(value):
        found = getattr(value, one.name)
        if problem := _problem(one.name, str(one.type), found):
            raise WorkloadError(
                f"{kind.__name__}.{method} gave {type(value).__name__} with "
                f"{one.name}={_shown(found)}: {problem}."
            )


def _problem(name: str, annotation: str, found: Any) -> str | None:
    if found is None and annotation.endswith("| None"):
        return None
    kind = annotation.removesuffix(" | None")
    if kind == "int" and (not isinstance(found, int) or isinstance(found, bool)):
        return "it must be an integer"
    if name == "version" and found < 1:
        return "versions begin at 1"
    if name == "status" and (found not in _REFUSALS or found == _GAVE_UP):
        return "what was refused has one of 400 to 499, and 408 leaves it open"
    if kind == "str" and (not isinstance(found, str) or not found):
        return "it must be a string that is not empty"
    return not_json(found) if name in {"state", "data"} else None


def expected(own: OwnWorkload, command: Command) -> Mapping[str, Any] | None:
    """What the event of a command must have as its data, if the workload says.

    Raises:
        WorkloadError: `expects` raised, or gave what it must not.
    """
    kind = type(own)
    with naming(kind, "expects", command.operation):
        data = own.expects(command)
    if data is not None and (problem := not_json(data)):
        raise WorkloadError(
            f"{kind.__name__}.expects of {command.operation} gave {_shown(data)}: {problem}."
        )
    return data


def not_json(value: Any) -> str | None:
    """Why a value is no JSON object, if it is none."""
    if not isinstance(value, dict):
        return "it must be a dict"
    try:
        # What makes digests would also write down what JSON has no word for, such as a set.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        return f"it must be JSON, and {error}"
    return None


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _shown(value: Any) -> str:
    text = repr(value)
    most = 80
    return text if len(text) <= most else f"{text[:most]} ..."
