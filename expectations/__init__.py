"""What data must be: columns, tables, row rules and suites. No I/O, no Prefect."""
