"""The README's own commands, run in the folder where the demo ran, as its reader would run them."""

import re
import shlex

import pytest

from tests.flows.test_whole_demo import _served, demo  # noqa: F401  its fixtures: the demo runs once for both files
from tests.support.demo_run import Demo
from tests.support.journey import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600), pytest.mark.xdist_group("whole demo")]
WRITES_A_FOLDER = "init"


def commands_of(page: str) -> list[str]:
    """Every `strata …` line of the page's shell blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    return [
        line.removeprefix("strata ") for block in blocks for line in block.splitlines() if line.startswith("strata ")
    ]


def test_both_readmes_show_the_same_commands():
    english, chinese = commands_of("README.md"), commands_of("README.zh.md")
    assert [line.replace("--language zh", "--language en") for line in chinese] == english
    assert len(english) >= 5


@pytest.mark.parametrize("line", commands_of("README.md"))
def test_a_command_of_the_readme_does_what_it_says(demo: Demo, line: str, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    monkeypatch.setenv("STRATA_LAKE", str(demo.root / "complete_journey"))
    words = shlex.split(line)
    if words[0] == WRITES_A_FOLDER:
        words[1] = f"policy-{words[1]}"
    done = demo.strata(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
