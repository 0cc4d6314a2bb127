"""The demo's second brand in a process beside the first: what it says is passed on, and how it ends."""

from pathlib import Path

import pytest

from flows.beside import BesideError, brand_beside
from flows.cli import app
from tasks.errors import ConfigurationError

pytestmark = pytest.mark.acceptance


@pytest.mark.usefixtures("prefect_harness")
def test_its_failure_is_told_with_its_own_words_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The child is asked for a brand that does not exist: exit code 4, and the brands there are."""
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    done: list[str] = []
    with pytest.raises(BesideError) as failed, brand_beside(tmp_path, "nobody", done.append):
        done.append("the first brand went on meanwhile")
    assert "there is no demo brand nobody" in failed.value.found
    assert (failed.value.code, done) == (4, ["the first brand went on meanwhile"])


def test_a_brand_that_is_not_in_the_demo_is_refused():
    with pytest.raises(ConfigurationError, match="complete_journey, demo_cn"):
        app(["demo", "--brand", "nobody"], standalone_mode=False)
