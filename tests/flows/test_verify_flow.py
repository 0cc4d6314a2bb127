"""Verify: the past is recomputed to the same digests, and each kind of tampering is told apart and named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from flows.verify import verify
from tasks.errors import DamagedError, DigestMismatchError, PolicyChangedError
from tasks.refs import Run
from tasks.steps.house import objects_at
from tasks.stores.scratch import stage
from tests.support.quarter import Brand
from tests.support.strata import quickly

pytestmark = pytest.mark.slow


def first(brand: Brand, pattern: str) -> Path:
    return min(path for path in Path(brand.lake).glob(pattern) if path.is_file())


def live(brand: Brand, table: str) -> Path:
    """A Parquet file that the snapshot names."""
    return Path(brand.lake, brand.tables.manifest(brand.tables.snapshot())[table][-1].path)


def flip(path: Path) -> str:
    """Change one bit in the middle of a file; return its key."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return path.name


def test_every_month_is_recomputed_to_the_same_digests(standing: Brand):
    found = verify(standing.lake)
    assert (found.runs, found.damaged, found.mismatches, found.policy_changed) == (2, [], [], "")
    raw, policies = (len(list(objects_at(standing.lake).list(prefix))) for prefix in ("raw/", "policies/"))
    tables = sum(len(files) for files in standing.tables.manifest(standing.tables.snapshot()).values())
    assert found.files == tables + raw + policies
    found.require_good()


def test_one_month_alone(standing: Brand):
    assert verify(standing.lake, "2017-02").runs == 1


TAMPERED: dict[str, Callable[[Brand], Path]] = {
    "orders": lambda brand: live(brand, "orders"),
    "customers": lambda brand: live(brand, "customers"),
    "runs": lambda brand: live(brand, "runs"),
    "raw": lambda brand: first(brand, "raw/*/*/transactions-*"),
    "policy": lambda brand: first(brand, "policies/*/policy.json"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_flipped_bit_is_found_and_the_file_is_named(brand: Brand, what: str):
    path = TAMPERED[what](brand)
    flip(path)
    with pytest.raises(DamagedError) as damaged:
        verify(brand.lake).require_good()
    assert str(path.relative_to(brand.lake)) in str(damaged.value)
    assert "restore" in damaged.value.next_step


@pytest.mark.parametrize("what", ["orders", "raw", "policy"])
def test_a_file_that_is_gone_is_named(brand: Brand, what: str):
    path = TAMPERED[what](brand)
    path.unlink()
    with pytest.raises(DamagedError) as damaged:
        verify(brand.lake).require_good()
    assert str(path.relative_to(brand.lake)) in str(damaged.value)


def forge(brand: Brand, folder: Path) -> None:
    """Publish, through the writer, a record that claims another digest for February's customers."""
    rows, seq = brand.rows("runs"), brand.seq
    right = brand.recorded("2017-02-28")[-1]["customers"]
    forged = rows.with_columns(pl.col("outputs").str.replace_all(right, "0" * 64, literal=True))
    run = Run(run_id="forged", flow="test", lake=brand.lake, base_seq=seq, policy_digest="", code_version="",
              inputs_digest="", scratch=str(folder))  # fmt: skip
    with brand.tables.writer(run, wait_seconds=10) as writer:
        writer.commit(stage(run, "runs", forged, mode="overwrite"))
        writer.move_pointer()


def test_a_record_that_claims_another_digest_is_a_mismatch(brand: Brand, tmp_path: Path):
    forge(brand, tmp_path / "scratch")
    found = verify(brand.lake)
    assert (found.damaged, found.mismatches) == ([], ["customers at 2017-02-28"])
    with pytest.raises(DigestMismatchError, match="customers at 2017-02-28"):
        found.require_good()


def test_another_computation_is_a_mismatch(brand: Brand, monkeypatch: pytest.MonkeyPatch):
    """As if a later version of the code kept only ten customers."""
    import flows.verify as proof

    honest = proof.refresh
    changed = lambda *told: honest(*told) | {"customers": honest(*told)["customers"].head(10)}  # noqa: E731
    monkeypatch.setattr(proof, "refresh", changed)
    assert verify(brand.lake, "2017-01").mismatches == ["customers at 2017-01-31"]


def test_an_edited_policy_is_told_apart(brand: Brand, tmp_path: Path):
    lifecycle = "silent_days: 91"
    defaults = Path(__file__).parents[2] / "tasks/policy/defaults/lifecycle.yaml"
    edited = defaults.read_text(encoding="utf-8").replace("silent_days: 90", lifecycle)
    policy = brand.with_policy(tmp_path / "policy", "lifecycle.yaml", edited).policy
    found = verify(brand.lake, policy=policy)
    assert (found.damaged, found.mismatches) == ([], [])
    with pytest.raises(PolicyChangedError, match="the past stands"):
        found.require_good()


def test_a_comment_in_the_policy_is_no_edit(brand: Brand, tmp_path: Path):
    text = (Path(brand.policy) / "brand.yaml").read_text(encoding="utf-8")
    policy = brand.with_policy(tmp_path / "policy", "brand.yaml", f"# reviewed in May\n{text}").policy
    verify(brand.lake, policy=policy).require_good()


@pytest.mark.acceptance
def test_the_exit_codes_of_the_command(brand: Brand, tmp_path: Path, harness_env: dict[str, str]):
    """0 all the same, 6 the policy was edited, 2 another result, 3 damaged bytes: in this order on one lake."""
    shutil.copytree(brand.policy, tmp_path / "policy")
    (tmp_path / "policy" / "rfm.yaml").write_text("window_days: 180\n")
    ask = ("verify", "--lake", brand.lake, "--json")
    good = quickly(*ask, env=harness_env)
    assert (good.code, good.told["refreshes_recomputed"], good.told["mismatches"]) == (0, 2, [])
    assert quickly(*ask, "--policy", str(tmp_path / "policy"), env=harness_env).code == 6
    forge(brand, tmp_path / "scratch")
    other = quickly(*ask, env=harness_env)
    assert (other.code, other.told["mismatches"]) == (2, ["customers at 2017-02-28"])
    damaged = live(brand, "orders")
    flip(damaged)
    found = quickly(*ask, env=harness_env)
    assert found.code == 3
    assert json.loads(found.out)["damaged"] == [str(damaged.relative_to(brand.lake))]
    assert "next: restore them" in found.problem
