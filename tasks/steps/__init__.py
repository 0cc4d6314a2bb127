"""The only Prefect tasks: read, call a transform, write, return a reference."""
