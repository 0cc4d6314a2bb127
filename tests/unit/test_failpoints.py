"""Failpoints: silent unless asked, and never misspelt in silence."""

import signal
import subprocess
import sys

import pytest

from tasks.errors import ConfigurationError
from tasks.stores.failpoints import VARIABLE, reach


def test_without_the_variable_nothing_happens(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    reach("pointer", "before")


def test_another_point_is_passed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, "table:orders:before:kill")
    reach("table:orders", "after")
    reach("table:order", "before")


@pytest.mark.parametrize("value", ["pointer", "pointer:kill", "pointer:before:explode"])
def test_a_misspelt_failpoint_is_refused(value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConfigurationError, match=VARIABLE):
        reach("pointer", "before")


def test_the_process_dies_by_sigkill():
    program = "from tasks.stores.failpoints import reach; reach('a:b', 'after')"
    died = subprocess.run([sys.executable, "-c", program], env={VARIABLE: "a:b:after:kill"}, check=False)
    assert died.returncode == -signal.SIGKILL
