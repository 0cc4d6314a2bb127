"""The form of `month` on Prefect's dashboard in a real Chromium: described, in order, and what is typed runs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.parameters import MonthParameters
from infra.server.api import ask
from infra.server.house import Place
from tests.server.asking import deployment, runs_of
from tests.support.browser import Page, chromium

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
DESCRIPTIONS = [str(field.description) for field in MonthParameters.model_fields.values()]
SHOWN_SECONDS = 60
FIRST_FIELD = "document.querySelector('textarea').focus()"
TYPED = "document.querySelector('textarea').value"
SUBMIT = "[...document.querySelectorAll('button')].find(button => button.innerText.trim() === 'Submit').click()"


@pytest.fixture
def page(house: Place) -> Iterator[Page]:
    """The form, drawn."""
    address = f"{house.dashboard}/deployments/deployment/{deployment(house, 'month')['id']}/run?parameters=%7B%7D"
    with chromium() as page:
        page.resize(1400, 1300)
        page.open(address)
        _wait_for(page, "business month")
        yield page


@pytest.fixture
def _idle(house: Place) -> Iterator[None]:
    """No worker takes a run meanwhile."""
    ask(house.api, "/work_pools/strata", {"is_paused": True}, "PATCH")
    yield
    ask(house.api, "/work_pools/strata", {"is_paused": False}, "PATCH")


def test_the_form_describes_every_field_and_asks_nobody_else(page: Page, house: Place, tmp_path: Path):
    text = page.evaluate("document.body.innerText")
    page.screenshot(tmp_path / "form.png")
    assert [words for words in DESCRIPTIONS if words not in text] == []
    shown = [line.removesuffix(" (Optional)") for line in text.splitlines() if line.endswith("(Optional)")]
    assert shown == ["Month", "Inbox", "Received At", "Exported At", "Known As Of", "Lake", "Policy"]
    asked = [address for address in page.requests if not address.startswith(("data:", "blob:"))]
    assert [address for address in asked if not address.startswith(house.dashboard)] == []


@pytest.mark.usefixtures("_idle")
def test_what_is_typed_is_what_runs(page: Page, house: Place):
    before = {run["id"] for run in runs_of(house, "month")}
    page.evaluate(FIRST_FIELD)
    page.call("Input.insertText", text="2026-04")
    _wait_until(page, f"{TYPED} === '2026-04'")
    page.evaluate(SUBMIT)
    _wait_for(page, "scheduled to start")
    (run,) = [run for run in runs_of(house, "month") if run["id"] not in before]
    told = run["parameters"]["parameters"]
    assert {name: value for name, value in told.items() if value} == {"month": "2026-04"}
    ask(house.api, f"/flow_runs/{run['id']}", None, "DELETE")


def _wait_until(page: Page, is_so: str) -> None:
    """Wait for the form to take in what was typed, and a moment more: it stores each field by itself."""
    until = time.monotonic() + SHOWN_SECONDS
    while not page.evaluate(is_so):
        assert time.monotonic() < until, is_so
        time.sleep(0.2)
    time.sleep(1)


def _wait_for(page: Page, words: str) -> None:
    until = time.monotonic() + SHOWN_SECONDS
    while words not in (text := page.evaluate("document.body.innerText")):
        assert time.monotonic() < until, text
        time.sleep(0.2)
