"""Every entrypoint of infra/prefect.yaml loads: a broken import would deploy a placeholder without a word."""

import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.server.house import ROOT

DECLARED: list[dict[str, Any]] = yaml.safe_load((ROOT / "infra/prefect.yaml").read_text(encoding="utf-8"))[
    "deployments"
]
NAMES = [entry["name"] for entry in DECLARED]
every_deployment = pytest.mark.parametrize("declared", DECLARED, ids=NAMES)


def test_every_flow_has_its_deployment():
    assert sorted(NAMES) == [
        "backfill", "campaign", "cancel", "expire", "forget", "inbox", "ingest", "master", "month", "plan", "refresh",
        "report", "send", "triggers",
    ]  # fmt: skip


@every_deployment
def test_the_entrypoint_loads_as_a_worker_loads_it(declared: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    from prefect.flows import load_flow_from_entrypoint

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", list(sys.path))  # loading puts flows/ in front
    flow = load_flow_from_entrypoint(declared["entrypoint"], use_placeholder_flow=False)
    assert flow.name == declared["name"]


@every_deployment
def test_every_field_of_the_form_is_described(declared: dict[str, Any]):
    from prefect.flows import load_flow_from_entrypoint
    from prefect.utilities.callables import parameter_schema

    flow = load_flow_from_entrypoint(str(ROOT / declared["entrypoint"]), use_placeholder_flow=False)
    (model,) = parameter_schema(flow).definitions.values()
    assert all(field["description"] for field in model["properties"].values())
    assert sorted(field["position"] for field in model["properties"].values()) == list(range(len(model["properties"])))


def test_no_file_of_flows_shadows_a_module():
    ours = {path.stem for path in Path(ROOT / "flows").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert ours & (sys.stdlib_module_names | set(packages_distributions())) <= {"__init__", "__pycache__"}


@pytest.mark.parametrize(
    ("name", "cron"),
    [
        ("month", "0 6 1 * *"),
        ("refresh", "30 4 * * *"),
        ("inbox", "*/15 * * * *"),
        ("triggers", "5 9-20 * * *"),
        ("send", "5 9 * * *"),
    ],
)
def test_schedules_run_in_the_business_zone(name: str, cron: str):
    (schedule,) = next(entry for entry in DECLARED if entry["name"] == name)["schedules"]
    assert (schedule["cron"], schedule["timezone"]) == (cron, "Asia/Shanghai")


def test_nothing_else_runs_by_itself():
    scheduled = [entry["name"] for entry in DECLARED if "schedules" in entry]
    assert scheduled == ["month", "refresh", "inbox", "triggers", "send", "expire"]
