"""`strata evaluate` on a lake: read from it alone, and clear where there is nothing to judge by."""

import os
from datetime import date

import pytest

from flows.evaluate import Dates, evaluate_lake
from tasks.errors import MissingDataError
from tests.support.quarter import Brand
from tests.support.strata import strata

pytestmark = pytest.mark.slow


@pytest.mark.acceptance
def test_a_small_lake_is_judged_by_its_own_february(standing: Brand):
    told = evaluate_lake(standing.lake, Dates(date(2017, 1, 31), date(2017, 2, 28)))
    january = standing.rows("customers", "2017-01-31").filter(purchase_days=1)
    assert told["days_ahead"] == 28
    assert told["one_time_buyers"] == round(january.height / told["customers"], 4)
    assert sum(row["customers"] for row in told["by_tier"]) == told["customers"]
    assert {row["month"] for row in told["forecast"]} == {"2017-02"}


def test_the_command_prints_one_document(standing: Brand):
    answer = strata("evaluate", "--lake", standing.lake, "--fit-on", "2017-01-31", "--json", env=os.environ)
    assert (answer.code, answer.told["held_against"]) == (0, "2017-02-28")
    assert len(answer.told["promises"]) == 5


def test_nothing_before_the_fit_is_said_so(standing: Brand):
    with pytest.raises(MissingDataError, match="nobody had bought by"):
        evaluate_lake(standing.lake, Dates())
    with pytest.raises(MissingDataError, match="no refresh of 2017-07-31"):
        evaluate_lake(standing.lake, Dates(until=date(2017, 7, 31)))
