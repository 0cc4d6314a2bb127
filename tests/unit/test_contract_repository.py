"""What a commit may hold: no machine's paths, no index host, no secret, no real phone; locks with hashes."""

import os
import re

import pytest
import yaml

from tests.support.source import ROOT, committed

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")
SKIPPED = (".parquet", ".png", ".jpg", ".gz")
# Written in parts, so that this file does not find itself.
MACHINE_PATHS = re.compile("(?<![A-Za-z0-9_.])/(?:" + "work|root|home|Users" + ")/[A-Za-z0-9_.]")
INDEX_HOSTS = re.compile("--(?:extra-)?index-" + "url|py" + r"pi\.org|python" + r"hosted\.org|npm" + r"js\.(?:org|com)")
SECRETS = re.compile(
    "AKIA" + "[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE" + " KEY-----|gh[pousr]_" + "[A-Za-z0-9]{36}|xox[abp]-" + "[0-9]"
)
PHONES = re.compile(r"(?<![\w.])1[3-9]\d{9}(?!\w)")
INVENTED = re.compile(r"0000|12345678|13800138000|(\d)\1{4}")
"""A number that no carrier gives out, or that everyone sees is made up."""


def texts() -> dict[str, str]:
    return {
        name: content.decode("utf-8", errors="replace")
        for name, content in committed().items()
        if not name.endswith(SKIPPED)
    }


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}: {match.group(0)}"
        for name, text in texts().items()
        if name not in LOCKS or pattern is not PHONES
        for match in pattern.finditer(text)
    ]


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, INDEX_HOSTS, SECRETS], ids=["paths", "hosts", "secrets"])
def test_nothing_of_a_machine_is_committed(pattern):
    assert found(pattern) == []


def test_every_phone_is_plainly_invented():
    assert [phone for phone in found(PHONES) if not INVENTED.search(phone)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_and_hashes_everything(lock):
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
    assert [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert "://" not in "".join(entries)


def test_every_dependency_has_a_reason():
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[<>=!\[ ]", name)[0] for name in declared}
    reasons = (ROOT / "infra/adr/0002-dependencies.md").read_text(encoding="utf-8")
    assert sorted(name for name in names if f"`{name}`" not in reasons) == []


@pytest.mark.parametrize("script", [".ci/run", "infra/lock.sh", "infra/test-tools.sh"])
def test_scripts_can_run_and_stop_at_the_first_error(script):
    assert os.access(ROOT / script, os.X_OK)
    assert "set -euo pipefail" in (ROOT / script).read_text(encoding="utf-8")


def test_the_server_runs_the_prefect_that_is_locked():
    locked = re.search(r"^prefect==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    compose = yaml.safe_load((ROOT / "infra/compose.yaml").read_text(encoding="utf-8"))
    assert locked
    assert {"postgres", "server", "worker"} <= compose["services"].keys()
    assert all("prefecthq" not in service.get("image", "") for service in compose["services"].values())
