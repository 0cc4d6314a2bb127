"""The gate's one expectation for all columns holds exactly when each rule of each column does."""

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.rules import Rule, rules_of
from expectations.suites import broken_rows
from expectations.tables import TABLES
from tests.support.examples import examples
from tests.support.strategies import BREAKS, break_rule, row_of, rows_of

CONNECTION = duckdb.connect()


def flagged(table: str, rows: pl.DataFrame) -> bool:
    """Whether the query finds a row."""
    CONNECTION.register("candidate", rows.to_arrow())
    return CONNECTION.execute(broken_rows(TABLES[table]).format(batch="candidate")).fetchall() != []


def declared(table: str) -> list[Rule]:
    """The rules that follow from the declaration of a column, but for those of plausible instants: rows' own check."""
    return [rule for rule in rules_of(table) if rule.name not in BREAKS and not rule.name.endswith("_implausible")]


@pytest.mark.parametrize("table", sorted(TABLES))
@settings(max_examples=examples(1))
@given(data=st.data())
def test_good_rows_pass_and_each_broken_rule_is_found(table: str, data: st.DataObject):
    assert not flagged(table, data.draw(rows_of(table, max_rows=2)))
    row = data.draw(row_of(table))
    schema = TABLES[table].schema
    for rule in declared(table):
        broken = pl.DataFrame([break_rule(table, rule, row)], schema=schema, orient="row")
        assert flagged(table, broken), rule.name
