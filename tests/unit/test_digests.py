"""Digests: the same rows give the same digest, any other rows another one."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.stores.digests import code_version, digest_rows, file_sha256
from tests.support.strategies import rows_of

TABLE = "cutoffs"


def consents(**values: list[object]) -> pl.DataFrame:
    """One row of `consents` but for what is given."""
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    row = {name: [at if dtype.is_temporal() else "x"] for name, dtype in TABLES["consents"].schema.items()}
    return pl.DataFrame(row | values, schema=TABLES["consents"].schema)


@given(rows_of(TABLE), st.randoms(use_true_random=False))
def test_row_and_column_order_and_chunks_do_not_count(frame: pl.DataFrame, random):
    order, columns = random.sample(range(frame.height), frame.height), random.sample(frame.columns, frame.width)
    chunked = pl.concat([frame[[n]] for n in order] or [frame], rechunk=False).select(columns)
    assert digest_rows(chunked, TABLE) == digest_rows(frame, TABLE) == digest_rows(frame.lazy(), TABLE)


@given(rows_of(TABLE, min_rows=1), st.data())
def test_any_changed_logical_cell_counts(frame: pl.DataFrame, data: st.DataObject):
    name = data.draw(st.sampled_from(TABLES[TABLE].logical))
    row = data.draw(st.integers(0, frame.height - 1))
    cell = frame[row, name]
    is_row = pl.int_range(pl.len()) == row
    other = pl.lit(None) if cell is not None else pl.lit(another(frame.schema[name]), frame.schema[name])
    changed = frame.with_columns(pl.when(is_row).then(other).otherwise(pl.col(name)).alias(name))
    assert digest_rows(changed, TABLE) != digest_rows(frame, TABLE)


def another(dtype: pl.DataType) -> object:
    return "" if dtype == pl.String else date(2030, 1, 1) if dtype == pl.Date else 1


@given(rows_of(TABLE, min_rows=1))
def test_a_row_more_counts(frame: pl.DataFrame):
    assert digest_rows(pl.concat([frame, frame[:1]]), TABLE) != digest_rows(frame, TABLE)


def test_when_it_was_recorded_does_not_count():
    later = [datetime(2027, 1, 1, tzinfo=UTC)]
    assert digest_rows(consents(known_from=later, known_to=later), "consents") == digest_rows(consents(), "consents")


@pytest.mark.parametrize(
    ("one", "other"),
    [([None], [""]), (["a,b"], ['"a,b"']), (["a\n"], ["a"]), (["null"], [None]), ([" "], [""])],
)
def test_texts_that_look_alike_differ(one: list[object], other: list[object]):
    assert digest_rows(consents(evidence=one), "consents") != digest_rows(consents(evidence=other), "consents")


def test_values_cannot_slip_from_one_column_into_the_next():
    slipped = consents(channel=["x,x"], subject=["y"])
    assert digest_rows(slipped, "consents") != digest_rows(consents(channel=["x"], subject=["x,y"]), "consents")


def test_one_instant_in_two_zones_is_one_instant():
    shanghai = consents().with_columns(pl.col("decided_at").dt.convert_time_zone("Asia/Shanghai"))
    assert digest_rows(shanghai, "consents") == digest_rows(consents(), "consents")


def tags(**values: list[object]) -> pl.DataFrame:
    return pl.DataFrame({"one_id": ["a"], "as_of": [date(2026, 5, 31)]} | values)


def test_columns_of_policy_count_by_name_and_value():
    digests = {digest_rows(tags(**each), "tags") for each in ({}, {"t": [1]}, {"u": [1]}, {"t": [2]}, {"t": [None]})}
    assert len(digests) == 5


def test_the_order_of_policy_columns_and_the_width_of_integers_do_not_count():
    wide = tags(t=[1], u=["x"]).cast({"t": pl.Int64})
    assert digest_rows(wide, "tags") == digest_rows(tags(u=["x"], t=[1]).cast({"t": pl.Int8}), "tags")


@pytest.mark.parametrize(("value", "same"), [(-0.0, 0.0), (0.1 + 0.2, 0.3)])
def test_the_noise_of_floats_does_not_count(value: float, same: float):
    assert digest_rows(tags(t=[value]), "tags") == digest_rows(tags(t=[same]), "tags")


def test_bytes_count():
    schema = TABLES["contacts"].schema
    contacts = pl.DataFrame({name: [b"\x00" if dtype == pl.Binary else None] for name, dtype in schema.items()}, schema)
    digests = {digest_rows(contacts.with_columns(pseudonym=pl.lit(each)), "contacts") for each in ("p", "q", None)}
    assert len(digests) == 3


def test_the_digest_is_written_in_stone():
    """Runs record digests: the same rows must give this one in every process and with every release."""
    text = "key,epoch,as_of,one_id,own_id,key_type,key_class,first_seen_at,valid_from,valid_to\n"
    text += 'k,1,2026-05-31,"say ""hi""",c_k,member,strong,2026-05-01T12:00:00.000000,,\n'
    text += 'l,2,2026-05-31,"",c_l,,,,,\n'
    rows = {
        "key": ["l", "k"],
        "epoch": [2, 1],
        "one_id": ["", 'say "hi"'],
        "own_id": ["c_l", "c_k"],
        "key_type": [None, "member"],
        "key_class": [None, "strong"],
        "first_seen_at": [None, datetime(2026, 5, 1, 12, tzinfo=UTC)],
        "valid_from": [None, None],
        "valid_to": [None, None],
        "as_of": [date(2026, 5, 31)] * 2,
    }
    frame = pl.DataFrame(rows, schema=TABLES["identities"].schema)
    assert digest_rows(frame, "identities") == hashlib.sha256(text.encode()).hexdigest()


def test_file_sha256(tmp_path: Path):
    (tmp_path / "f").write_bytes(b"strata")
    assert file_sha256(tmp_path / "f") == hashlib.sha256(b"strata").hexdigest()


def test_code_version_is_a_digest_of_this_tree():
    assert len(bytes.fromhex(code_version())) == 32
