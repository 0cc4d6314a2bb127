"""A table's declaration as an Arrow schema: types, nullability, and unit, meaning and PII class as metadata."""

import pyarrow as pa

from expectations.tables import TABLES, Table


def arrow_schema(table: str) -> pa.Schema:
    """Return the Arrow schema of a table, in column order.

    Text is `large_string`, as Polars hands it over. The table's grain and key stand in the
    schema's metadata, so that a file found alone still says what its rows are.
    """
    declared = TABLES[table]
    types = declared.schema.to_frame().to_arrow().schema.types
    fields = [_field(declared, name, of_type) for name, of_type in zip(declared.columns, types, strict=True)]
    return pa.schema(fields, metadata={"table": table, "grain": declared.grain, "key": " ".join(declared.key)})


def _field(table: Table, name: str, of_type: pa.DataType) -> pa.Field:
    column = table.column(name)
    said = {"meaning": column.meaning, "unit": column.unit, "pii": column.pii}
    metadata = {key: value for key, value in said.items() if value}
    return pa.field(name, of_type, nullable=name in table.optional, metadata=metadata)
