"""docs/identity.md is run: three months with merges, a split, a recycled number and a withdrawal."""

from pathlib import Path

import pytest

from flows import show
from tests.support.pages import missing, said, shown_in
from tests.support.source import ROOT

pytestmark = pytest.mark.acceptance
PAGE = ROOT / "docs" / "identity.md"


def test_every_step_says_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("STRATA_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("STRATA_POLICY", "infra/demo/who_is_who/policy")
    monkeypatch.setenv("STRATA_SCRATCH", str(tmp_path / "scratch"))
    monkeypatch.setattr(show.console, "width", 220)  # it may have been made for a narrow terminal long ago
    steps = list(shown_in(PAGE))
    assert len(steps) > 12, "the page lost its story"
    for step in steps:
        lines = said(step)
        assert missing(step, lines) == [], "\n".join([step.command, *lines])
