"""Every sentence that the judge can say of a run, read from the invariants' SQL."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from tidemark.invariants.catalog import catalog


def violations() -> set[tuple[str, str]]:
    """What each invariant can say against a run, with its id."""
    return {
        (one.id, sentence)
        for one in catalog().values()
        for query in one.violations
        for sentence in _sentences(query)
    }


def doubts() -> set[tuple[str, str]]:
    """Why each invariant can leave something of a run unjudged, with its id."""
    return {
        (one.id, sentence)
        for one in catalog().values()
        for query in one.unknown
        for sentence in _sentences(query)
    }


def _sentences(sql: str) -> set[str]:
    branches = [sqlglot.parse_one(sql, dialect="duckdb")]
    selects: list[exp.Select] = []
    while branches:
        match branches.pop():
            case exp.Union() as union:
                branches += [union.left, union.right]
            case exp.Select() as select:
                selects.append(select)
    return {one for select in selects for one in _literals(select.selects[0].unalias())}


def _literals(what: exp.Expr) -> set[str]:
    if not isinstance(what, exp.Case):
        return {what.name}
    said = [branch.args["true"] for branch in what.args["ifs"]]
    return {one.name for one in [*said, what.args["default"]]}
