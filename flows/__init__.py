"""When and in what order: the Prefect flows and the command line."""

import tasks  # noqa: F401 - tells Polars how long to keep freed memory, before anything here imports Polars
