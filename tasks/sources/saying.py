"""Which columns a file says, and which it leaves to other exports of the same record.

A column that is not in the file is not said; one that is there and empty says empty. What is made of several columns
is said when all of them are: a payment less a freight that the file does not have is a guess, and so is the second
choice where the first one is missing.
"""

from collections.abc import Collection, Mapping

from expectations.tables import TABLES, Table
from tasks.sources.layouts import Layout

_FOLLOWS = {"paid_on": "paid_at", "paid_month": "paid_at"}
"""Columns that are read off another one."""
_ALWAYS = frozenset({
    "channel", "shop_id", "currency", "exported_at", "known_from", "known_to", "file_sha256", "content_hash", "unsaid",
})  # fmt: skip
"""What is known of a file, not read from a column."""


def unsaid_of(layout: Layout, present: Collection[str]) -> frozenset[str]:
    """The columns of the layout that a file with the mapped columns `present` does not say, or only guesses."""
    said = {*present, *layout.constants, *layout.numbered, *layout.hashed}
    recipes = _recipes(layout)
    for _ in recipes:  # what is made of others may be part of something itself
        said |= {name for name, parts in recipes.items() if parts <= said}
    if layout.person and _names_a_person(layout, said):
        said.add(layout.person)
    return (layout.made | {"refunded_fen", *filter(None, [layout.person])}) - said - _refund_told(layout, said)


def _recipes(layout: Layout) -> Mapping[str, frozenset[str]]:
    """Column to all that must be said for it to be said."""
    told: dict[str, Collection[str]] = {**layout.products}
    told |= {name: one.of[:1] for name, one in layout.first_of.items()}
    told |= {name: [*one.plus, *one.minus, *filter(None, [one.only_if])] for name, one in layout.sums.items()}
    told |= {name: [share.of] for name, share in layout.shares.items()}
    told |= {name: text.replace("}", "{").split("{")[1::2] for name, text in layout.templates.items()}
    return {name: frozenset(parts) for name, parts in told.items()}


def _names_a_person(layout: Layout, said: Collection[str]) -> bool:
    return any(key.column in said for key in layout.keys if key.role == "identity")


def _refund_told(layout: Layout, said: Collection[str]) -> frozenset[str]:
    """`refunded_fen` where the file speaks of refunds: by its column, else by the words that its layout names.

    That an order is closed, and nothing else, is no word on what was paid back before.
    """
    rule = layout.refund
    if rule is None:
        return frozenset()
    parts = {rule.column, *rule.counted_when} if rule.column else {*rule.full_when}
    return frozenset({"refunded_fen"}) if parts and parts <= {*said} else frozenset()


def unsaid_in(table: str, given: Collection[str], unsaid: Collection[str]) -> str | None:
    """The columns of a table that a file does not say, as `unsaid` holds them; null when it says all.

    `given` are the columns that its rows have, `unsaid` those of them that are not said (`unsaid_of`).
    """
    if "unsaid" not in TABLES[table].columns:
        return None
    told = {*given} - {*unsaid}
    missing = [name for name in told_apart(TABLES[table]) if _FOLLOWS.get(name, name) not in told]
    return ";".join(missing) or None


def told_apart(table: Table) -> tuple[str, ...]:
    """The columns of a table that one export may say and another not, in order."""
    return tuple(sorted({*table.columns} - {*table.key} - _ALWAYS))
