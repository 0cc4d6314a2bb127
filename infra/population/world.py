"""What every channel needs: accounts, when their owners came back, and which phone they gave."""

from typing import NamedTuple

import polars as pl

from infra.exports.draw import draw
from infra.population.people import FIRST, PHONES, SECOND, WHO, happens, phone_at
from infra.population.shares import DAY, SPAN, Shares

_OFTEN = ((490, 0), (700, 1), (808, 2), (876, 3), (919, 5), (954, 8), (979, 14), (994, 22), (1000, 40))
"""Up to so many in 1,000 have so many repeats: half buy once, six in a thousand buy forty times."""
ROOM = 64
"""Room for a holding's records in a record's number."""


class Slot(NamedTuple):
    """One key on a record: its type and scope, its number, whose it is, on which records."""

    key_type: str
    scope: str
    value: pl.Expr
    owner: pl.Expr | None = None
    """The actor where it is left out."""
    where: pl.Expr | None = None
    role: str = "identity"


class Kind(NamedTuple):
    """Records of one kind: `row` numbers them, `number` is the actor, `at` the second, `account` 0 or 1."""

    name: str
    channel: str
    evidence: int
    records: pl.DataFrame
    slots: tuple[Slot, ...]


class World(NamedTuple):
    """What every channel needs to know."""

    people: pl.DataFrame
    everybody: int
    shares: Shares
    seed: str

    def accounts(self, channel: str, second: int) -> pl.DataFrame:
        """One row per account in the channel, and when it began."""
        own = self.people.filter(pl.col(f"has_{channel}")).with_columns(account=pl.lit(0, pl.Int64))
        more = own.filter(happens(f"{self.seed}/second {channel}", second)).with_columns(account=pl.lit(1, pl.Int64))
        held = pl.concat([own, more]).with_columns(unit=pl.col(WHO) * 2 + pl.col("account"))
        began = pl.col("joined") + draw(f"{self.seed}/began {channel}", 200 * DAY, "unit")
        is_home = (pl.col("home") == channel) & (pl.col("account") == 0)
        start = pl.when(is_home).then("joined").otherwise(began)
        begun = held.with_columns(start=start, row=pl.col("unit") * ROOM).filter(pl.col("start") < SPAN - DAY)
        return begun.with_columns(at="start")

    def repeats(self, accounts: pl.DataFrame, what: str) -> pl.DataFrame:
        """One row per order or visit of an account: the first at its beginning, later ones while the person stays."""
        lot = draw(f"{self.seed}/often {what}", 1000, "unit")
        times = pl.lit(_OFTEN[-1][1], pl.Int64)
        for below, count in reversed(_OFTEN[:-1]):
            times = pl.when(lot < below).then(pl.lit(count, pl.Int64)).otherwise(times)
        rows = (
            accounts.with_columns(nth=pl.int_ranges(0, times + 1))
            .explode("nth")
            .with_columns(pl.col("row") + pl.col("nth"))
        )
        stay = pl.min_horizontal(pl.lit(SPAN), pl.col("start") + pl.col("life")) - pl.col("start")
        later = pl.col("start") + draw(f"{self.seed}/when {what}", SPAN, "row") % stay.clip(lower_bound=1)
        return rows.with_columns(at=pl.when(pl.col("nth") == 0).then("start").otherwise(later))

    def share(self, question: str, in_100_000: int) -> pl.Expr:
        """True for about so many of the records."""
        return happens(f"{self.seed}/{question}", in_100_000, "row")

    def phone(self) -> pl.Expr:
        """The number that a person gives with a record: their own, mostly."""
        second = (pl.col("account") == 1) & ~happens(f"{self.seed}/same", self.shares.same_phone, "unit")
        uses_line = pl.col("has_line") & happens(f"{self.seed}/line used", self.shares.line_used, "unit")
        own = pl.when(second | uses_line).then(PHONES * pl.col(WHO) + SECOND).otherwise(phone_at(pl.col("at")))
        return pl.when(self.is_borrowed()).then(PHONES * (pl.col(WHO) - 1) + FIRST).otherwise(own)

    def phone_owner(self) -> pl.Expr:
        """Whose number that is."""
        return pl.when(self.is_borrowed()).then(pl.col(WHO) - 1).otherwise(WHO)

    def is_borrowed(self) -> pl.Expr:
        """Whether the record shows the number of somebody in the family."""
        return pl.col("borrows") & (pl.col("has_none") | self.share("family", self.shares.family_orders))

    def phone_slot(self, where: pl.Expr | None = None) -> Slot:
        """The number that the person gave."""
        return Slot("phone", "", self.phone(), self.phone_owner(), where)
