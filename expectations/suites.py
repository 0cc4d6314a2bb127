"""A table's Great Expectations suite, from its declaration alone."""

from collections.abc import Iterator
from typing import Any

from expectations.results import RESULTS, expectations_of
from expectations.tables import TABLES, Table


def suite_of(name: str, columns: tuple[str, ...], least_rows: int = 0, *, in_detail: bool = True) -> Any:
    """The suite that a candidate of table `name` must pass before it may be published.

    Args:
        name: the table.
        columns: the candidate's columns; open tables may have more than the declaration.
        least_rows: fewer rows than this block publication.
        in_detail: an expectation for each rule of each column; else one for all of them, which holds exactly when
            they do, in a tenth of the time.
    """
    import great_expectations as gx  # noqa: PLC0415  its import takes seconds

    if name == RESULTS:
        return gx.ExpectationSuite(name=name, expectations=list(expectations_of(gx.expectations)))
    # All at once: added one by one, GX writes the growing suite anew each time.
    return gx.ExpectationSuite(
        name=name,
        expectations=list(_expectations(TABLES[name], columns, least_rows, gx.expectations, in_detail=in_detail)),
    )


def _expectations(
    table: Table, columns: tuple[str, ...], least_rows: int, gxe: Any, *, in_detail: bool
) -> Iterator[Any]:
    own = set(columns) if table.is_open else set(table.columns)
    yield gxe.ExpectTableColumnsToMatchSet(column_set=sorted(own | set(table.columns)), exact_match=True)
    yield gxe.ExpectTableRowCountToBeBetween(min_value=least_rows)
    if len(table.key) == 1:
        yield gxe.ExpectColumnValuesToBeUnique(column=table.key[0])
    else:
        yield gxe.ExpectCompoundColumnsToBeUnique(column_list=list(table.key))
    if in_detail:
        for name in table.columns:
            yield from _column_expectations(table, name, gxe)
    else:
        yield gxe.UnexpectedRowsExpectation(
            unexpected_rows_query=broken_rows(table), description="every column keeps to its declaration"
        )


def broken_rows(table: Table) -> str:
    """SQL for one row, where any row breaks a rule of a column; none else."""
    broken = " or ".join(rule for name in table.columns for rule in _broken(table, name))
    return f"select 1 as broken from {{batch}} where {broken or 'false'} limit 1"


def _broken(table: Table, name: str) -> Iterator[str]:
    """What the expectations of a column say, turned round; a null breaks nothing but the rule against nulls."""
    column, quoted = table.column(name), f'"{name}"'
    if name not in table.optional:
        yield f"{quoted} is null"
    if codes := table.codes_of(name):
        listed = ", ".join(f"'{code}'" for code in codes)
        yield f"{quoted} not in ({listed})"
    if column.minimum is not None:
        yield f"{quoted} < {column.minimum}"
    if column.maximum is not None:
        yield f"{quoted} > {column.maximum}"


def _column_expectations(table: Table, name: str, gxe: Any) -> Iterator[Any]:
    column = table.column(name)
    if name not in table.optional:
        yield gxe.ExpectColumnValuesToNotBeNull(column=name)
    if table.codes_of(name):
        yield gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(table.codes_of(name)))
    if column.minimum is not None or column.maximum is not None:
        yield gxe.ExpectColumnValuesToBeBetween(column=name, min_value=column.minimum, max_value=column.maximum)
