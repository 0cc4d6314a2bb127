"""The state of an allocation between two campaigns, and what all of them share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.policy.campaigns import Campaign
from tasks.policy.contacting import Contacting
from tasks.policy.models import Policy
from tasks.policy.variants import TREATED
from tasks.transforms.allocation.against import Rules
from tasks.transforms.allocation.draw import Draw, draw
from tasks.transforms.caps import LEDGER
from tasks.transforms.consent import of_persons
from tasks.transforms.contact_points import keys_of_people
from tasks.transforms.held import tight
from tasks.transforms.known import Known


@dataclass(frozen=True)
class Walk:
    """The state between two campaigns, and what all of them share."""

    known: Known
    rules: Rules
    send_on: date
    points: pl.DataFrame
    keys: pl.DataFrame
    words: pl.DataFrame
    published: pl.DataFrame
    messages: pl.DataFrame
    held_globally: Draw | None
    """The draw of the global holdout, one for all campaigns; None without one."""
    codes_left: dict[str, int]
    """Pool to the coupon codes that the campaigns before have left."""

    def sent(self, campaign: Campaign) -> pl.DataFrame:
        """One row per message in the published revisions of this send: one_id, recipient_key."""
        mine = self.published.filter(pl.col("send_id") == send_id_of(campaign, self.send_on))
        return mine.select("one_id", "recipient_key")

    def global_draw(self, campaign: Campaign) -> Draw | None:
        """The global holdout, for the campaigns that it concerns: services are owed to everyone."""
        return None if campaign.purpose == "service" else self.held_globally


def send_id_of(campaign: Campaign, send_on: date) -> str:
    """The name of one send, `<vendor>/<campaign>/<send_on>`."""
    return f"{campaign.vendor}/{campaign.code}/{send_on}"


def start(known: Known, policy: Policy, chosen: Sequence[Campaign], send_on: date) -> Walk:
    """Read once what every campaign needs; no message stands in the ledger yet."""
    ids = [send_id_of(c, send_on) for c in chosen]
    points, words = (tight(rows) for rows in (known.points, known.words))
    published = known.published.filter(pl.col("send_id").is_in(ids)).collect()
    marketing = [send_id_of(c, send_on) for c in chosen if c.purpose != "service"]
    return Walk(
        known,
        Rules.of(policy),
        send_on,
        points,
        _keys(known, points, words),
        words,
        published,
        pl.DataFrame(schema={name: TABLES["touches"].schema[name] for name in LEDGER}),
        _global(known, policy.contacting, published.filter(pl.col("send_id").is_in(marketing))),
        dict(known.pools.free),
    )


def _keys(known: Known, points: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    """Of the keys of people those that words or messages are found by, which are few."""
    heard = words.lazy().pipe(of_persons).select(key="subject")
    nameless = known.touches.filter(pl.col("one_id").is_null()).select(key="recipient_key")
    keys = keys_of_people(known.identities, points.lazy())
    return tight(keys.join(pl.concat([heard, nameless]), on="key", how="semi"))


def _global(known: Known, contacting: Contacting, published: pl.DataFrame) -> Draw | None:
    """The draw of everyone of the base; whoever was sent a message of today before there was a holdout is treated."""
    if contacting.global_holdout is None:
        return None
    was_sent = published.select("one_id").unique().with_columns(was_sent=pl.lit(value=True))
    people = known.base.select("one_id").collect().join(was_sent, on="one_id", how="left")
    people = people.with_columns(sent_as=pl.when("was_sent").then(pl.lit(TREATED)))
    return draw(people, contacting.global_holdout, known.assignments, known.names)


def messages_at_start(
    before: pl.DataFrame, published: pl.DataFrame, chosen: Sequence[Campaign], send_on: date
) -> pl.DataFrame:
    """The ledger without what this run decides anew, but with whom its sends have reached already."""
    names = pl.DataFrame(
        {
            "send_id": [send_id_of(c, send_on) for c in chosen],
            "campaign": [c.code for c in chosen],
            "touch_channel": [c.touch_channel for c in chosen],
            "send_on": [send_on] * len(chosen),
            "cost_fen": [None] * len(chosen),
        },
        schema_overrides={
            "send_id": pl.String, "campaign": pl.String, "touch_channel": pl.String, "send_on": pl.Date,
            "cost_fen": pl.Int64,
        },
    )  # fmt: skip
    others = before.join(names, on="send_id", how="anti").select(LEDGER)
    return pl.concat([others, published.join(names, on="send_id").select(LEDGER)])
