"""Run names that say what runs, built from the parameters of the flow run."""

from prefect.runtime import flow_run


def run_name() -> str:
    """Such as `refresh as of 2017-01-31`; a run that was told no date is named by its due time."""
    given = flow_run.parameters.get("parameters") or {}
    told = given if isinstance(given, dict) else given.model_dump()
    words = [f"{joiner} {told[name]}" for name, joiner in _WORDS.items() if told.get(name)]
    return " ".join([str(flow_run.flow_name), *(words or [_due()])])


def _due() -> str:
    return f"at {flow_run.scheduled_start_time:%Y-%m-%d %H:%M} UTC"


_WORDS = {
    "name": "of", "as_of": "as of", "month": "of", "send_on": "on", "first": "from", "last": "to", "request": "of",
    "since": "since",
}  # fmt: skip
