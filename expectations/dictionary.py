"""The data dictionary: every table and column as one Markdown page. Pure; docs/dictionary.md is its output."""

from collections.abc import Iterator

import polars as pl

from expectations.rules import EARLIEST, LATEST, own_rules
from expectations.tables import TABLES, Table
from expectations.vocabulary import INSTANT, Column

_INTRODUCTION = f"""\
# Data dictionary

Generated from `expectations/` by `make docs`, and compared with it by a test: change the declaration, not this page.

* **fen** is the minor unit of the row's currency (cents for USD). Money is a 64-bit integer.
* **instant** is a point in time in UTC, between {EARLIEST.year} and {LATEST.year}. **business date** and months are
  cut in the brand's zone.
* *Null* says what a missing value means; a dash means that the column is never null in this table.
* *PII*: `none`; `pseudonym` is a keyed HMAC-SHA256; `sealed` is encrypted and leaves the vault only at the writing of
  an audience file.
* A column marked ° stays out of logical digests: it depends on when or by whom something was recorded.
"""
_TYPES: dict[pl.DataType, str] = {
    pl.String(): "text",
    pl.Int64(): "integer",
    pl.Float64(): "float",
    pl.Date(): "date",
    pl.Boolean(): "true, false",
    pl.Binary(): "bytes",
    INSTANT: "instant",
}


def dictionary_markdown() -> str:
    """Return the whole page: an index of the tables, then each table with its columns and its row rules."""
    index = [f"| [{table.name}](#{table.name}) | {table.grain} |" for table in TABLES.values()]
    parts = [_INTRODUCTION, _lines("| table | one row is |", "|---|---|", *index)]
    return "\n".join([*parts, *(_section(table) for table in TABLES.values())])


def _section(table: Table) -> str:
    columns = (_row(table, name) for name in table.columns)
    header = ("| column | type | unit | null | PII | meaning |", "|---|---|---|---|---|---|")
    return "\n".join([_head(table), _lines(*header, *columns), _rules(table)])


def _head(table: Table) -> str:
    facts = [f"Key: {_codes(table.key)}."]
    if table.partition:
        facts.append(f"Partition: `{table.partition}`.")
    if table.bitemporal:
        facts.append("Bitemporal: a newer version closes the older one.")
    if table.is_open:
        facts.append("Open: the brand's policy adds columns.")
    return _lines(f"## {table.name}", "", table.grain, "", " ".join(facts))


def _row(table: Table, name: str) -> str:
    column = table.column(name)
    null = column.null_meaning if name in table.optional else "–"
    mark = "" if column.logical else " °"
    meaning = " ".join(_meaning(table, column))
    return f"| `{name}`{mark} | {_TYPES[column.dtype]} | {column.unit} | {null} | {column.pii} | {meaning} |"


def _meaning(table: Table, column: Column) -> Iterator[str]:
    yield column.meaning.replace("|", r"\|")
    if codes := table.codes_of(column.name):
        yield f"One of {_codes(codes)}."


def _rules(table: Table) -> str:
    own = [f"* `{rule.name}` ({rule.column}): {rule.hint}." for rule in own_rules(table.name)]
    return _lines("Row rules beyond type, presence, codes and range:", "", *own) if own else ""


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
