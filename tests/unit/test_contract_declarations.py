"""One declaration everywhere: vocabulary, tables, rules, Arrow schemas, the generated pages."""

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.check import check
from expectations.rules import own_rules, rules_of
from expectations.schemas import arrow_schema
from expectations.tables import TABLES
from expectations.vocabulary import VOCABULARY
from infra.docs import DOCS, pages
from tasks.policy.base import Rule
from tasks.policy.models import Policy
from tests.support.examples import examples
from tests.support.strategies import BREAKS, as_read, break_rule, row_of, rows_of

CHECKED = [table for table in TABLES if table != "quarantine"]
"""Quarantine is what the check itself writes."""


def test_every_column_of_every_table_is_in_the_vocabulary():
    assert {name for table in TABLES.values() for name in table.columns} <= VOCABULARY.keys()


def test_every_column_of_the_vocabulary_is_used():
    assert VOCABULARY.keys() <= {name for table in TABLES.values() for name in table.columns}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_keys_and_partitions_are_columns_of_the_table(table):
    assert {*table.key, *table.optional, *table.codes} <= set(table.columns)
    assert table.partition is None or table.partition in table.columns
    assert len(set(table.columns)) == len(table.columns)


def test_units_stand_in_names():
    units = {"_fen": "fen", "_on": "business date", "_at": "instant, UTC", "_rate": "rate"}
    wrong = [
        name for name, column in VOCABULARY.items()
        for suffix, unit in units.items()
        if name.endswith(suffix) and not column.unit.startswith(unit)
    ]  # fmt: skip
    assert wrong == []


def test_meanings_are_sentences():
    assert [name for name, column in VOCABULARY.items() if not column.meaning.endswith((".", "…"))] == []
    assert [name for name, column in VOCABULARY.items() if not column.null_meaning] == []


@pytest.mark.parametrize("table", TABLES)
def test_rule_names_are_unique_within_a_table(table):
    names = [rule.name for rule in rules_of(table)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("table", TABLES)
def test_polars_and_arrow_schemas_are_the_same(table):
    arrow = arrow_schema(table)
    assert pl.Schema(pl.from_arrow(arrow.empty_table()).schema) == TABLES[table].schema
    assert {field.name for field in arrow if field.nullable} == TABLES[table].optional
    assert arrow.field(0).metadata[b"meaning"].decode() == VOCABULARY[arrow.names[0]].meaning


@settings(max_examples=examples(20))
@given(frame=rows_of("orders", min_rows=1))
def test_rows_survive_the_way_through_arrow(frame):
    arrow = pa.Table.from_batches(frame.to_arrow().to_batches()).cast(arrow_schema("orders"))
    assert pl.from_arrow(arrow).equals(frame)


@pytest.mark.parametrize("table", TABLES)
@settings(max_examples=examples(6))
@given(data=st.data())
def test_generated_rows_pass(table, data):
    frame = data.draw(rows_of(table, min_rows=1))
    checked = check(as_read(frame), table)
    assert checked.refused.is_empty()
    assert checked.kept.select(frame.columns).equals(frame)


@pytest.mark.parametrize("table", CHECKED)
@settings(max_examples=examples(4))
@given(data=st.data())
def test_breaking_a_rule_is_caught_under_its_name(table, data):
    """Row n of the frame breaks rule n of the table."""
    rules, good = rules_of(table), data.draw(row_of(table))
    rows = [break_rule(table, rule, good) for rule in rules]
    checked = check(as_read(pl.DataFrame(rows, schema=TABLES[table].schema, orient="row")), table)
    caught = set(checked.refused.select("row_number", "rule").iter_rows())
    assert checked.kept.is_empty()
    assert {(number, rule.name) for number, rule in enumerate(rules, start=1)} <= caught


def test_every_rule_of_a_tables_own_has_its_break():
    assert {rule.name for table in TABLES for rule in own_rules(table)} == BREAKS.keys()


@pytest.mark.parametrize("name", pages())
def test_the_committed_page_is_the_generated_one(name):
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_every_field_of_the_policy_is_described():
    bare = {
        f"{model.__name__}.{name}"
        for model in Rule.__subclasses__()
        if model is not Policy
        for name, field in model.model_fields.items()
        if not field.description and name not in {"label", "name"}
    }
    assert bare == set()
