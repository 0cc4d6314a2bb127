"""Identity tables of an invented date: three persons, a till's phone, a refused card, a number that changed hands."""

from datetime import UTC, date, datetime

import polars as pl

from expectations.tables import TABLES
from tasks.reports.identity import IdentityData
from tasks.transforms.identity.bridges import bridges
from tests.support.report_data import demo_policy

AS_OF, BEFORE = date(2017, 12, 31), date(2017, 11, 30)
SEEN = datetime(2017, 6, 1, tzinfo=UTC)
CHANGED = datetime(2017, 9, 1, tzinfo=UTC)
_KEY = ("key", "epoch", "one_id", "key_type", "key_class", "valid_from", "valid_to")
_PERSONS = (
    ("member:club:a1", 1, "c_aaaa", "member", "strong", None, None),
    ("phone::a2", 1, "c_aaaa", "phone", "linking", None, None),
    ("openid:app:a3", 1, "c_aaaa", "openid", "strong", None, None),
    ("unionid:wx:a4", 1, "c_aaaa", "unionid", "strong", None, None),
    ("member:club:b1", 1, "c_bbbb", "member", "strong", None, None),
    ("phone::b2", 1, "c_bbbb", "phone", "linking", None, CHANGED),
    ("phone::b2", 2, "c_cccc", "phone", "linking", CHANGED, None),
    ("nick:taobao:c1", 1, "c_cccc", "nick", "strong", None, None),
    ("nick:taobao:d1", 1, "c_dddd", "nick", "strong", None, None),
)
_REFUSED = (
    ("hub", "phone::till", "member:club:a1", None, "c_aaaa", 3, 1, "member@club: 40 > 2"),
    ("hub", "phone::till", "member:club:b1", None, "c_bbbb", 3, 1, "member@club: 40 > 2"),
    ("cap", "phone::a2", "member:club:b1", "c_aaaa", "c_bbbb", 3, 2, "member@club: 2 > 1"),
)
_MOVED = (("c_eeee", "c_aaaa", "merged_into", 2), ("c_bbbb", "c_cccc", "split_from", 1))
_TIES = (("c_aaaa", 0, "member:club:a1"), ("c_aaaa", 0, "phone::a2"), ("c_aaaa", 1, "openid:app:a3"),
         ("c_aaaa", 1, "phone::a2"), ("c_aaaa", 2, "openid:app:a3"), ("c_aaaa", 2, "unionid:wx:a4"))  # fmt: skip
TIES = pl.Schema({"one_id": pl.String(), "tie": pl.Int64(), "key": pl.String()})


def identity_data(*, first: bool = False) -> IdentityData:
    """December after November; `first` is a brand's first date, with nobody known."""
    rows = () if first else _PERSONS
    names = _frame("identities", _KEY, rows, own_id=pl.col("one_id"), first_seen_at=pl.lit(SEEN), as_of=pl.lit(AS_OF))
    ties = pl.LazyFrame(() if first else _TIES, schema=TIES, orient="row")
    return IdentityData(
        policy=demo_policy(), as_of=AS_OF, previous_as_of=None if first else BEFORE, snapshot_seq=12,
        identities=names, previous=names.with_columns(as_of=pl.lit(BEFORE)),
        conflicts=_conflicts(() if first else _REFUSED), changes=_changes(() if first else _MOVED),
        ties=ties, bridges=bridges(ties, names),
    )  # fmt: skip


def _conflicts(rows: tuple[tuple[object, ...], ...]) -> pl.LazyFrame:
    columns = ("rule", "key_a", "key_b", "one_id_a", "one_id_b", "evidence_rank", "distinct_days", "evidence")
    return _frame("identity_conflicts", columns, rows, as_of=pl.lit(AS_OF), first_seen_at=pl.lit(SEEN))


def _changes(rows: tuple[tuple[object, ...], ...]) -> pl.LazyFrame:
    return _frame("identity_changes", ("old_id", "new_id", "change", "keys"), rows, as_of=pl.lit(AS_OF))


def _frame(table: str, columns: tuple[str, ...], rows: tuple[tuple[object, ...], ...], **more: pl.Expr) -> pl.LazyFrame:
    schema = TABLES[table].schema
    given = pl.LazyFrame(rows, schema={name: schema[name] for name in columns}, orient="row")
    return given.with_columns(**more).select(schema.names()).cast(schema)
