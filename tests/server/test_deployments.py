"""Deployments on a real Prefect server, PostgreSQL and worker: what an operator starts, and what comes of it."""

from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError

import pytest

from infra.server import postgres
from infra.server.house import SERVER, WORKER, Place, up
from infra.server.processes import running
from tasks.errors import ConfigurationError
from tasks.steps.house import lake_at
from tests.server.asking import artifacts, deployment, finished, log_lines, start_run

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


def test_a_month_from_the_form_moves_the_snapshot(house: Place, exports: Path):
    run = finished(house, start_run(house, "month", month="2026-05", inbox=[str(exports)]))
    assert (run["state_type"], run["name"]) == ("COMPLETED", "month of 2026-05"), log_lines(house, run)
    left = artifacts(house, run)
    assert list(left) == ["strata-month"]
    assert "| customers | 13 |" in left["strata-month"]
    snapshot = lake_at(house.lake).snapshot()
    assert (snapshot.seq, "customers" in snapshot.tables) == (2, True)
    assert Path(house.lake, "reports/2026-05/index.html").is_file()


@pytest.mark.parametrize("told", [{"month": "2026-13"}, {"month": "2026-05", "moth": "2026-06"}, {"inbox": [""]}])
def test_a_bad_parameter_is_refused_before_anything_runs(house: Place, told: dict[str, object]):
    with pytest.raises(HTTPError) as refused:
        start_run(house, "month", **told)
    assert "Validation failed" in refused.value.read().decode()


def test_a_missing_file_fails_at_once_and_says_what_to_do(house: Place):
    run = finished(house, start_run(house, "ingest", paths=["/nowhere/orders.csv"]))
    assert (run["state_type"], run["run_count"]) == ("FAILED", 1)
    assert "/nowhere/orders.csv does not exist; expected an export file or a folder" in run["state"]["message"]


def test_a_second_run_of_the_same_kind_waits(house: Place):
    found = deployment(house, "month")
    assert found["global_concurrency_limit"]["limit"] == 1
    assert found["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert deployment(house, "cancel")["global_concurrency_limit"] is None


def test_up_with_another_lake_is_refused_while_it_runs(house: Place):
    with pytest.raises(ConfigurationError, match="make down"):
        up(replace(house, lake="/another/lake"), print)


def test_up_twice_is_once(house: Place):
    pids = [running(house.state, name) for name in (postgres.NAME, SERVER, WORKER)]
    up(house, print)
    assert [running(house.state, name) for name in (postgres.NAME, SERVER, WORKER)] == pids
    assert None not in pids
