"""docs/evaluation.md says what the command says."""

import pytest

from tests.support.pages import missing, said, shown_in
from tests.support.source import ROOT

SHOWN = tuple(shown_in(ROOT / "docs" / "evaluation.md"))


def test_the_page_shows_a_command():
    assert [shown.command for shown in SHOWN] == ["strata evaluate --on cdnow"]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.command)
def test_the_page_says_what_the_command_says(shown):
    assert missing(shown, said(shown)) == []
