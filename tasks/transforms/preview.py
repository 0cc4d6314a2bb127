"""What a send would be, in numbers and in a few people whom nobody can recognise. Counts are of customers."""

import re
from typing import Any

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.transforms.lineage import follow
from tasks.transforms.waterfall import GOING, counts_by_variant

EXAMPLES = 20
_TELLS_WHO = r"[0-9A-Fa-f]{12,}|[+\d][\d\-\s]{5,}\d|[^\s@]+@[^\s@]+|[A-Za-z0-9_-]{20,}"
"""Hashes, numbers as long as a phone's, addresses, tokens."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_HIDDEN = "…"


def account_rows(waterfall: dict[str, int]) -> list[dict[str, Any]]:
    """One row per outcome that somebody met, base first: customers, share of the base in percent, who is left."""
    base = waterfall["base"]
    rows, left = [{"outcome": "base", "customers": base, "percent": 100.0 if base else 0.0, "left": base}], base
    for outcome, customers in waterfall.items():
        if outcome == "base" or not customers:
            continue
        left -= 0 if outcome in GOING else customers
        rows.append({"outcome": outcome, "customers": customers, "percent": _percent(customers, base), "left": left})
    return rows


def difference(reached: pl.DataFrame, wanted: pl.DataFrame) -> dict[str, int]:
    """How many the next revision adds, calls back and leaves as they are (algorithms §13); frames have one_id."""
    stands, goes = set(reached["one_id"]), set(wanted["one_id"])
    return {"added": len(goes - stands), "recalled": len(stands - goes), "kept": len(goes & stands)}


def overlap(reached: pl.DataFrame, wanted: pl.DataFrame, names: pl.LazyFrame) -> dict[str, Any]:
    """How many of an earlier send (`reached`) this one is for again; ids are followed to whom they are now."""
    earlier, goes = (follow(rows.lazy(), names).select("one_id").unique().collect() for rows in (reached, wanted))
    again = earlier.join(goes, on="one_id", how="semi").height
    return {"reached": earlier.height, "again": again, "percent_of_this": _percent(again, goes.height)}


def variant_rows(members: pl.DataFrame, campaign: Campaign) -> list[dict[str, Any]]:
    """One row per variant of whom somebody gets it: customers, share, template; none for a campaign of one message."""
    counts, templates = counts_by_variant(members), {one.code: one.template for one in campaign.variants}
    total = sum(counts.values())
    return [
        {"variant": code, "customers": count, "percent": _percent(count, total),
         "template": templates[code] or campaign.template}
        for code, count in counts.items() if code in templates
    ]  # fmt: skip


def cost_of(members: pl.DataFrame, campaign: Campaign, price_fen: int | None = None) -> dict[str, int]:
    """Messages of the whole send, and what they and what they give away cost at most, in fen.

    `price_fen` is that of all their parts; None where no text is known: each counts as one part.
    """
    going = members.filter(pl.col("outcome").is_in(GOING))
    given = {one.code: one.incentive_fen for one in campaign.variants}
    counts = dict(going.group_by("variant").len().iter_rows())
    worth = sum(count * _worth(given.get(code), campaign) for code, count in counts.items())
    price = going.height * campaign.message_cost_fen if price_fen is None else price_fen
    return {"messages": going.height, "price_fen": price, "incentives_fen": worth, "cost_fen": price + worth}


def _worth(own: int | None, campaign: Campaign) -> int:
    return campaign.incentive_fen if own is None else own


def examples(members: pl.DataFrame, told: pl.DataFrame, contact_type: str) -> list[dict[str, Any]]:
    """Up to twenty of whom a message goes to, spread evenly over variants and ids: always the same.

    `told` has one_id, tier and the template's variables (one that is called tier as well: `tier_said`). Of an id
    its last four characters are shown, of a contact its kind, and in variables whatever could name somebody is hidden;
    a variable that is none of the person's message (null) is left out.
    """
    going = members.filter(pl.col("outcome").is_in(GOING)).sort("variant", "one_id")
    places = [n * going.height // EXAMPLES for n in range(EXAMPLES)] if going.height > EXAMPLES else range(going.height)
    chosen = going[list(places)].select("one_id", "variant").join(told, on="one_id", how="left", maintain_order="left")
    return [_redacted(row, contact_type) for row in chosen.iter_rows(named=True)]


def _redacted(row: dict[str, Any], contact_type: str) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name not in {"one_id", "variant", "tier"}}
    shown = {name: hide(str(value)) for name, value in told.items() if value is not None}
    about = {"customer": f"{_HIDDEN}{row['one_id'][-4:]}", "contact": f"{contact_type} {_HIDDEN}"}
    variant = {"variant": row["variant"]} if row["variant"] else {}
    return about | variant | {"tier": row["tier"]} | shown


def hide(text: str) -> str:
    """A text without what could name somebody."""
    return re.sub(_TELLS_WHO, lambda found: found[0] if _DATE.fullmatch(found[0]) else _HIDDEN, text)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
