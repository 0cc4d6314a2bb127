"""Invented people by number: what channels they use, since when, and which phone they had at what time."""

from functools import reduce

import polars as pl

from infra.exports.draw import draw
from infra.population.shares import CHANNELS, DAY, SPAN, Shares

WHO = "number"
"""The column that numbers people from 0."""
PHONES = 4
"""Numbers set aside for each person: the first, a second line, the one after a change, one spare."""
FIRST, SECOND, CHANGED = range(3)
BLOCK = 4
"""Neighbours: seats 0 and 1 of a block may have had the same number in turn, 3 may use the phone of 2."""
_ALL = 100_000


def happens(question: str, in_100_000: int, by: str | pl.Expr = WHO) -> pl.Expr:
    """True for about so many of 100,000 rows."""
    return draw(question, _ALL, by) < in_100_000


def invent(first: int, last: int, shares: Shares, seed: str) -> pl.DataFrame:
    """One row per person from `first` to before `last`: channels, times and the cases they are in."""
    people = pl.DataFrame({WHO: pl.int_range(first, last, eager=True)})
    return (
        people.with_columns(_cases(shares, seed))
        .with_columns(_channels(shares, seed))
        .with_columns(_times(seed))
        .with_columns(joined=_recycled_after(seed, shares))
        .with_columns(_phones(shares, seed))
    )


def _cases(shares: Shares, seed: str) -> list[pl.Expr]:
    block, seat = pl.col(WHO) // BLOCK, pl.col(WHO) % BLOCK
    recycled = happens(f"{seed}/recycled", shares.recycled * BLOCK, block)
    family = happens(f"{seed}/family", shares.family * BLOCK, block)
    return [
        (recycled & (seat == 0)).alias("gave_up"),
        (recycled & (seat == 1)).alias("took_over"),
        (family & (seat == BLOCK - 1)).alias("borrows"),
        happens(f"{seed}/only", shares.family_only).alias("has_none"),
    ]


def _channels(shares: Shares, seed: str) -> list[pl.Expr]:
    """`home` and `has_<channel>`: the first one by its share, others on top; adviser, card and list follow."""
    lot = draw(f"{seed}/home", sum(shares.home))
    home, has, below = pl.lit(CHANNELS[-1]), {}, sum(shares.home)
    for channel, share in zip(reversed(CHANNELS), reversed(shares.home), strict=True):
        home, below = pl.when(lot < below).then(pl.lit(channel)).otherwise(home), below - share
    for channel, also in zip(CHANNELS, shares.also, strict=True):
        has[channel] = (home == channel) | happens(f"{seed}/also {channel}", also)
    told = {
        "taobao_bound": has["taobao"] & happens(f"{seed}/bound", shares.taobao_bound),
        "jd_bound": has["jd"] & happens(f"{seed}/jd bound", shares.jd_bound),
        "wxmini_phone": has["wxmini"] & happens(f"{seed}/allows", shares.wxmini_phone),
    }
    joins = reduce(pl.Expr.__or__, told.values(), has["pos"])
    card = joins & (happens(f"{seed}/card", shares.card) | has["pos"])
    return [
        home.alias("home"),
        *(expr.alias(f"has_{channel}") for channel, expr in has.items()),
        *(expr.alias(name) for name, expr in told.items()),
        card.alias("has_card"),
        (card & happens(f"{seed}/listed", shares.listed)).alias("is_listed"),
        ((has["wxmini"] | has["pos"]) & happens(f"{seed}/adviser", shares.adviser)).alias("has_wecom"),
    ]


def _times(seed: str) -> list[pl.Expr]:
    """Since when, and for how long: a third leaves within two months, a third within ten, a third stays."""
    kind = draw(f"{seed}/stays", 3)
    life = pl.when(kind == 0).then(60 * DAY).when(kind == 1).then(300 * DAY).otherwise(SPAN)
    joined = pl.when("gave_up").then(draw(f"{seed}/early", 120 * DAY)).otherwise(draw(f"{seed}/joined", SPAN - DAY))
    return [joined.alias("joined"), life.alias("life")]


def _recycled_after(seed: str, shares: Shares) -> pl.Expr:
    """Whoever took a number over joins after its silence; the owner before is the neighbour with one number less."""
    before = (pl.col(WHO) - 1).clip(lower_bound=0)
    left = draw(f"{seed}/early", 120 * DAY, before) + _kept(seed, before)
    soon = happens(f"{seed}/soon", shares.recycled_soon)
    gap = pl.when(soon).then(90 * DAY + draw(f"{seed}/gap", 90 * DAY)).otherwise(
        181 * DAY + draw(f"{seed}/gap", 200 * DAY)
    )  # fmt: skip
    return pl.when("took_over").then(left + gap).otherwise("joined")


def _kept(seed: str, person: pl.Expr) -> pl.Expr:
    """For how long somebody who gives up a number has it."""
    return 30 * DAY + draw(f"{seed}/kept", 170 * DAY, person)


def _phones(shares: Shares, seed: str) -> list[pl.Expr]:
    """`phone`: the number had first; `changed_at`: when the next one follows, null for never; `line`: a second one."""
    changes = happens(f"{seed}/changes", shares.changed_phone)
    at = pl.col("joined") + draw(f"{seed}/changed at", SPAN)
    own = pl.when("took_over").then(PHONES * (pl.col(WHO) - 1)).otherwise(PHONES * pl.col(WHO))
    given_up = pl.col("joined") + _kept(seed, pl.col(WHO))
    return [
        own.alias("phone"),
        pl.when("gave_up").then(given_up).when(changes).then(at).alias("changed_at"),
        happens(f"{seed}/line", shares.second_phone).alias("has_line"),
    ]


def phone_at(at: pl.Expr) -> pl.Expr:
    """The person's own number at that time."""
    has_changed = (at >= pl.col("changed_at")).fill_null(value=False)
    return pl.when(has_changed).then(PHONES * pl.col(WHO) + CHANGED).otherwise("phone")
