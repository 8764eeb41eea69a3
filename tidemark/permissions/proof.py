"""The proof: what is needed is granted, what is granted is needed, and nobody else gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.errors import TidemarkError
from tidemark.permissions.objections import Proof
from tidemark.permissions.openness import prove_edges, prove_transport
from tidemark.permissions.roles import find_roles_of_nobody, prove_role
from tidemark.permissions.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from tidemark.permissions.call_log import Call


def prove(content: Mapping[str, Any], calls: Iterable[Call]) -> Proof:
    """Evaluate the calls that functions make against a template's policies.

    Args:
        content: The synthesised template.
        calls: What the functions were seen to call.

    Raises:
        TidemarkError: The template or the calls say something that is not understood here.
    """
    template, proof, called = Template(content), Proof(), sorted(calls)
    functions = {template.name(one): one for one in template.of_kind("AWS::Lambda::Function")}
    for unknown in sorted({call.function for call in called} - functions.keys()):
        raise TidemarkError(f"The call log names {unknown}, which the template does not have.")
    for name, function in functions.items():
        prove_role(template, function, [one for one in called if one.function == name], proof)
    prove_edges(template, proof)
    prove_transport(template, proof)
    find_roles_of_nobody(template, functions.values(), proof)
    return proof
