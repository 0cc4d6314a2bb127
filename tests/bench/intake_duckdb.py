"""What DuckDB needs to read the same export with the same types into Parquet, and nothing else of an ingest."""

from pathlib import Path

from tasks.policy.models import Policy
from tests.bench.taobao import COUNTS, HEADERS, MONEY, TIMES

_KINDS = {
    **dict.fromkeys(MONEY, "DECIMAL(18, 2)"),
    **dict.fromkeys(TIMES, "TIMESTAMP"),
    **dict.fromkeys(COUNTS, "BIGINT"),
}


def run(export: Path, result: Path, _policy: Policy) -> None:
    """Write every column of the export, typed, on two threads."""
    import duckdb

    kinds = ", ".join(f"'{header}': '{_KINDS.get(header, 'VARCHAR')}'" for header in HEADERS)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{export}', header = true, auto_detect = false, delim = ',', quote = '\"', "
            f"escape = '\"', columns = {{{kinds}}})) TO '{result}' (FORMAT parquet, COMPRESSION zstd)"
        )
