"""Small literal frames for the transforms: orders, refunds, identities and inputs with everything else filled in."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

from expectations.tables import TABLES
from tasks.policy.base import Label
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.policy.tiers import Tier, Tiers

ROOT = Path(__file__).parents[3]
LABEL = Label(zh="层", en="layer")


def demo_policy() -> Policy:
    return load_policy(ROOT / "infra/demo/complete_journey/policy")


def ladder(**changes: object) -> Tiers:
    """Silver from 500 (kept with 400), gold from 2000 (kept with 1600)."""
    steps = (("base", 0, 0), ("silver", 500, 400), ("gold", 2000, 1600))
    tiers = tuple(Tier(code=code, label=LABEL, up_fen=up, keep_fen=keep) for code, up, keep in steps)
    return Tiers.model_validate({"tiers": tiers, "maturity_days": 0, **changes})


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def rows(table: str, *given: dict[str, object], **common: object) -> pl.LazyFrame:
    """Rows of a table; what is not given is null."""
    schema = TABLES[table].schema
    return pl.DataFrame([{**common, **row} for row in given], schema=schema, orient="row").lazy()


def orders(*given: tuple[str, str | None, date | None, int], **changes: object) -> pl.LazyFrame:
    """Orders of (order_id, buyer, paid_on, paid_fen)."""
    common = {"channel": "shop", "shop_id": "main", "kind": "purchase", "status": "finished", "currency": "CNY"}
    made = [
        {
            "order_id": order_id, "buyer_key": buyer, "paid_on": day, "paid_fen": fen, "gross_fen": fen,
            "refunded_fen": 0, "exported_at": None if day is None else noon(day),
        }
        for order_id, buyer, day, fen in given
    ]  # fmt: skip
    return (
        rows("orders", *made, **{**common, **changes})
        if not changes
        else _changed(rows("orders", *made, **common), changes)
    )


def _changed(frame: pl.LazyFrame, changes: dict[str, object]) -> pl.LazyFrame:
    return frame.with_columns(
        pl.lit(value).cast(frame.collect_schema()[name]).alias(name) for name, value in changes.items()
    )


def refunds(*given: tuple[str, date, int], basis: str = "itemised") -> pl.LazyFrame:
    """Refunds of (order_id, refunded_on, refund_fen)."""
    made = [
        {"order_id": order_id, "refund_id": f"r{number}", "refunded_on": day, "refund_fen": fen}
        for number, (order_id, day, fen) in enumerate(given)
    ]
    common = {"channel": "shop", "shop_id": "main", "refund_state": "paid_back", "refund_basis": basis}
    return rows("refunds", *made, **common)


def identities(*keys: str) -> pl.LazyFrame:
    """Each key is its own person, called by the key."""
    return rows("identities", *({"key": key, "one_id": key, "own_id": key, "epoch": 1} for key in keys))


def sightings(*given: tuple[str, datetime], role: str = "identity") -> pl.LazyFrame:
    """Sightings of (pseudonym, seen_at) as member keys."""
    made = [
        {"key": f"member:shop:{name}", "key_type": "member", "key_scope": "shop", "pseudonym": name, "key_role": role,
         "evidence_rank": 3,
         "record": f"member:shop:{name}", "seen_at": seen}
        for name, seen in given
    ]  # fmt: skip
    return rows("sightings", *made)
