"""The invariants are written in SQL that other engines run as it stands.

What is listed here gave equal answers, untranslated, on DuckDB 2.0, Spark 4.3 and Trino 483.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp

from tidemark.history.tables import TABLES
from tidemark.invariants.catalog import catalog

if TYPE_CHECKING:
    from tidemark.invariants.catalog import Invariant

FUNCTIONS = {
    exp.And,  # sqlglot counts connectors among the functions
    exp.Or,
    exp.Avg,
    exp.Case,
    exp.Coalesce,
    exp.Concat,
    exp.Count,
    exp.Exists,
    exp.Greatest,
    exp.Lag,
    exp.Length,
    exp.LogicalAnd,  # BOOL_AND
    exp.LogicalOr,  # BOOL_OR
    exp.Max,
    exp.Min,
    exp.RowNumber,
    exp.Substring,
    exp.Sum,
    exp.If,  # a branch of CASE
}
NODES = {
    exp.Add,
    exp.Alias,
    exp.Between,
    exp.Boolean,
    exp.Column,
    exp.CTE,
    exp.Distinct,
    exp.EQ,
    exp.From,
    exp.GT,
    exp.GTE,
    exp.Group,
    exp.Having,
    exp.Identifier,
    exp.In,
    exp.Is,
    exp.Join,
    exp.LT,
    exp.LTE,
    exp.Literal,
    exp.Mul,
    exp.NEQ,
    exp.Neg,
    exp.Not,
    exp.Null,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Order,
    exp.Ordered,
    exp.Paren,
    exp.Select,
    exp.Star,
    exp.Sub,
    exp.Subquery,
    exp.Table,
    exp.TableAlias,
    exp.Union,
    exp.Where,
    exp.Window,
    exp.WindowSpec,
    exp.With,
}


def queries(invariant: Invariant) -> list[str]:
    return [*invariant.violations, invariant.seen, *invariant.unknown]


def unlisted(sql: str) -> set[str]:
    """What of a query is not in the portable subset."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    found = {type(node).__name__ for node in tree.walk() if type(node) not in FUNCTIONS | NODES}
    for node in tree.walk():
        if isinstance(node, exp.Select) and node.args.get("windows"):
            found.add("named window")
        if isinstance(node, exp.Window) and node.args.get("alias"):
            found.add("named window")
        if isinstance(node, exp.Join) and node.args.get("kind") in {"SEMI", "ANTI", "ASOF"}:
            found.add("semi, anti or asof join")
        if isinstance(node, exp.Group) and node.args.get("all"):
            found.add("GROUP BY ALL")
    return found


@pytest.mark.parametrize("invariant", catalog().values(), ids=catalog().keys())
def test_an_invariant_uses_what_every_engine_knows(invariant: Invariant) -> None:
    for sql in queries(invariant):
        assert unlisted(sql) == set()


@pytest.mark.parametrize("invariant", catalog().values(), ids=catalog().keys())
def test_an_invariant_is_read_without_scrolling_aside(invariant: Invariant) -> None:
    text = (resources.files("tidemark.invariants") / f"sql/{invariant.id}.sql").read_text("utf-8")

    assert [line for line in text.splitlines() if len(line) > 100] == []


@pytest.mark.parametrize("invariant", catalog().values(), ids=catalog().keys())
def test_an_invariant_needs_just_the_tables_that_it_reads(invariant: Invariant) -> None:
    read: set[str] = set()
    for sql in {*queries(invariant), *invariant.first}:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
        own = {one.alias for one in tree.find_all(exp.CTE)}
        read |= {one.name for one in tree.find_all(exp.Table)} - own

    assert read == set(invariant.needs)
    assert read <= TABLES.keys()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT a / 2 FROM t", "Div"),
        ("SELECT CAST(a AS VARCHAR) FROM t", "Cast"),
        ("SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1", "Qualify"),
        ("SELECT SUM(a) OVER w FROM t WINDOW w AS (ORDER BY a)", "named window"),
        ("SELECT a, COUNT(*) FROM t GROUP BY ALL", "GROUP BY ALL"),
        ("SELECT a FROM t ANTI JOIN u USING (a)", "semi, anti or asof join"),
        ("SELECT UNNEST([1, 2])", "Explode"),
        ("SELECT LIST(a) FROM t", "ArrayAgg"),
        ("SELECT hash(a) FROM t", "Anonymous"),
        ("SELECT quantile_cont(a, 0.5) FROM t", "PercentileCont"),
        ("SELECT * FROM read_parquet('ops/*.parquet')", "ReadParquet"),
    ],
)
def test_what_engines_differ_in_is_seen(sql: str, why: str) -> None:
    assert why in unlisted(sql)
