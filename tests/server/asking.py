"""What the tests ask of the Prefect server: start a run as its form does, wait for its end, read what it left."""

import time
from typing import Any

from infra.server.api import ask
from infra.server.house import Place

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
RUN_SECONDS = 200


def start_run(house: Place, name: str, /, **parameters: Any) -> dict[str, Any]:
    """Start a deployment with what its form sends: the defaults of the fields too."""
    chosen = deployment(house, name)
    (model,) = chosen["parameter_openapi_schema"]["definitions"].values()
    shown = {field: told["default"] for field, told in model["properties"].items() if "default" in told}
    body = {"parameters": {"parameters": shown | parameters}, "state": {"type": "SCHEDULED"}}
    return dict(ask(house.api, f"/deployments/{chosen['id']}/create_flow_run", body))


def deployment(house: Place, name: str) -> dict[str, Any]:
    """The deployment of the flow of that name."""
    return dict(ask(house.api, f"/deployments/name/{name}/{name}"))


def finished(house: Place, run: dict[str, Any]) -> dict[str, Any]:
    """The run when it has ended, whatever the end."""
    until = time.monotonic() + RUN_SECONDS
    while (found := ask(house.api, f"/flow_runs/{run['id']}"))["state_type"] not in ENDED:
        assert time.monotonic() < until, f"{found['name']} is still {found['state_name']}"
        time.sleep(0.5)
    return dict(found)


def runs_of(house: Place, name: str) -> list[dict[str, Any]]:
    """Every run of a deployment."""
    return list(ask(house.api, "/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}}))


def artifacts(house: Place, run: dict[str, Any]) -> dict[str, str]:
    """Key to text of what the run left for people."""
    chosen = {"flow_run_id": {"any_": [run["id"]]}, "type": {"any_": ["markdown"]}}
    return {found["key"]: found["data"] for found in ask(house.api, "/artifacts/filter", {"artifacts": chosen})}


def log_lines(house: Place, run: dict[str, Any]) -> str:
    """What the run said, as the dashboard shows it."""
    found = ask(house.api, "/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}, "sort": "TIMESTAMP_ASC"})
    return "\n".join(line["message"] for line in found)
