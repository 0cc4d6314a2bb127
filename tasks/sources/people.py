"""Who a record is about: identity keys, where they were seen, and contact points.

Plaintext leaves this file in one frame alone, `contacts`, which the caller seals at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from tasks.sources.hashing import content
from tasks.sources.layouts import KeyRule, Layout
from tasks.sources.phone_hashes import hashed_phones
from tasks.sources.plain import VALUE

Pseudonymise = Callable[[str, str, pl.Expr], pl.Expr]
"""(key type, key scope, normalised value) to the keyed pseudonym in hex."""

CONTACTS = pl.Schema(
    {"pseudonym": pl.String(), "contact_type": pl.String(), "value": pl.String(), "row_number": pl.Int64()}
)
_RECORDS = {"order": "order:{channel}:{shop}:", "line": "order:{channel}:{shop}:", "event": "event:{channel}:"}
_OF_MEMBER = "member:{channel}:"


@dataclass(frozen=True)
class Naming:
    """What names keys and records: where the file comes from, and the brand's pseudonym."""

    layout: Layout
    channel: str
    shop_id: str
    pseudonymise: Pseudonymise
    phone_hashes: tuple[str, ...] = ()
    """Under which vendors' hashes a phone is known too: phone_md5, phone_sha256."""

    def fill(self, template: str) -> str:
        """Put channel and shop into a scope."""
        return template.format(channel=self.channel, shop=self.shop_id)


def name_people(frame: pl.DataFrame, naming: Naming) -> pl.DataFrame:
    """Add the person's key (`buyer_key`, `member_key` or `customer_key`), `person`, `record` and hashed ids.

    `person` is the pseudonym of the strongest identity key, null where the record carries none.
    A profile without one is kept under a key of its own record: that is no identity key. Where the file itself
    tells a printed key, that stands.
    """
    layout = naming.layout
    if layout.person is None:
        return frame
    rules = [rule for rule in layout.keys if rule.role == "identity"]
    own = [pseudonym_in(rule, pl.col(rule.column), naming).alias(f"hex_{i}") for i, rule in enumerate(rules)]
    printed = [printed_key(rule.type, naming.fill(rule.scope), pl.col(f"hex_{i}")) for i, rule in enumerate(rules)]
    none = pl.lit(None, pl.String())
    told = [pl.col(layout.person)] if layout.person in frame.columns else []
    named = frame.with_columns(own).with_columns(
        pl.coalesce(*printed, *told, _record_key(naming), none).alias(layout.person),
        pl.coalesce(*(f"hex_{i}" for i in range(len(rules))), none).alias("person"),
        *(_hashed(name, columns, naming) for name, columns in layout.hashed.items()),
    )
    return named.drop(f"hex_{i}" for i in range(len(rules))).with_columns(record=_record(naming))


def _hashed(name: str, columns: tuple[str, ...], naming: Naming) -> pl.Expr:
    """The id of a record that has none: keyed, because its columns may hold what a person can be found by."""
    return naming.pseudonymise(name, naming.fill("{channel}:{shop}"), content(list(columns))).alias(name)


def printed_key(key_type: str, scope: str, pseudonym: pl.Expr) -> pl.Expr:
    """`type:scope:pseudonym`, null where there is no pseudonym."""
    return pl.concat_str(pl.lit(f"{key_type}:{scope}:"), pseudonym)


def pseudonym_in(rule: KeyRule, value: pl.Expr, naming: Naming) -> pl.Expr:
    """The keyed pseudonym of a key's values; null where there is none."""
    hashed = naming.pseudonymise(rule.type, naming.fill(rule.scope), value)
    return pl.when(value.is_not_null()).then(hashed)


def _record_key(naming: Naming) -> pl.Expr:
    """The key of a profile that names nobody; null where the layout has none, or nothing to make it of."""
    own = naming.layout.record_key
    return printed_key(own.type, naming.fill(own.scope), _record_hex(naming)) if own else pl.lit(None, pl.String())


def _record_hex(naming: Naming) -> pl.Expr:
    own = naming.layout.record_key
    if own is None:
        return pl.lit(None, pl.String())
    some = pl.when(pl.any_horizontal(pl.col(own.columns).is_not_null())).then(content(list(own.columns)))
    return naming.pseudonymise(own.type, naming.fill(own.scope), some)


def _record(naming: Naming) -> pl.Expr:
    """The record that keys are seen on together: the order, the event, or the person's profile.

    A profile that names nobody may still reach somebody: its contacts are seen on the profile's own key.
    """
    grain = naming.layout.grain
    prefix = pl.lit(naming.fill(_RECORDS.get(grain, _OF_MEMBER)))
    ids = {"order": pl.col("order_id"), "line": pl.col("order_id"), "event": pl.col("event_id")}
    return pl.concat_str(prefix, ids.get(grain, pl.coalesce("person", _record_hex(naming))))


def keys_seen(frame: pl.DataFrame, naming: Naming, exported_at: pl.Expr) -> pl.DataFrame:
    """One row per usable key and source row, with its plaintext `value`.

    `seen_at` is the record's own time, the export's where it has none; the same key twice on one
    source row counts once, at its earliest time and by its strongest evidence.
    """
    seen = pl.coalesce(naming.layout.seen, exported_at) if naming.layout.seen else exported_at
    frames = [_seen(frame.with_columns(seen_at=seen), rule, naming) for rule in naming.layout.keys]
    phones = [_hashed_alike(rows, naming) for rows, rule in zip(frames, naming.layout.keys, strict=True)
              if rule.type == "phone"]  # fmt: skip
    every = pl.concat([*frames, *(rows for kinds in phones for rows in kinds)])
    if (every.get_column("row_number").diff() > 0).all():  # one key a row, in order: nothing to choose from
        return every
    return (
        every.sort("seen_at", "evidence_rank", "key_role", "row_number", descending=[False, False, True, False])
        .unique(subset=["row_number", "record", "key"], keep="first", maintain_order=True)
        .sort("row_number", "key")
    )


def _seen(frame: pl.DataFrame, rule: KeyRule, naming: Naming) -> pl.DataFrame:
    scope = naming.fill(rule.scope)
    is_person = [other for other in naming.layout.keys if other.role == "identity"] == [rule]
    known = pl.col("person") if is_person else pseudonym_in(rule, pl.col("value"), naming)  # a keyed hash is dear
    values = frame.select("row_number", "record", "seen_at", "person", value=rule.column)
    if values.schema["value"].is_nested():
        values = values.explode("value")
    return values.drop_nulls(["value", "record"]).with_columns(
        key_type=pl.lit(rule.type), key_scope=pl.lit(scope), pseudonym=known,
        key_role=pl.lit(rule.role), evidence_rank=pl.lit(rule.evidence, pl.Int64()),
    ).with_columns(key=printed_key(rule.type, scope, pl.col("pseudonym")))  # fmt: skip


def _hashed_alike(phones: pl.DataFrame, naming: Naming) -> list[pl.DataFrame]:
    """The same phones under the keys that vendors' hashes of them have."""
    named = [
        hashed_phones(phones, kind).with_columns(key_scope=pl.lit(""), pseudonym=naming.pseudonymise(kind, "", VALUE))
        for kind in naming.phone_hashes
    ]
    kinds = zip(named, naming.phone_hashes, strict=True)
    return [rows.with_columns(key=printed_key(kind, "", pl.col("pseudonym"))) for rows, kind in kinds]


def contact_values(frame: pl.DataFrame, keys: pl.DataFrame, naming: Naming) -> pl.DataFrame:
    """One row per contact point and source row, in plaintext: pseudonym, contact_type, value, row_number.

    A phone, e-mail or push token stands under its own key, a name under the person's.
    """
    rules = naming.layout.contacts
    types = [rule.type for rule in rules if rule.type != "name"]
    own = keys.filter(pl.col("key_type").is_in(types)).select(
        "pseudonym", "value", "row_number", contact_type="key_type"
    )
    names = [
        frame.select("row_number", pseudonym="person", value=rule.column, contact_type=pl.lit("name"))
        for rule in rules
        if rule.type == "name"
    ]
    rows = pl.concat([frame_of.select(CONTACTS.names()) for frame_of in (own, *names)])
    return rows.drop_nulls().unique().sort("row_number", "contact_type", "pseudonym")
