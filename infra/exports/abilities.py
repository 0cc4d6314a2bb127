"""What a layout can say: the truth is first cut down to it, then printed and expected back."""

import polars as pl

from infra.exports.draw import ROW, chance, pick
from tasks.sources.layouts import Layout

_NEAR = {
    "unpaid": ("unpaid",), "paid": ("paid", "shipped", "finished"), "shipped": ("shipped", "finished", "paid"),
    "finished": ("finished", "shipped", "paid"), "dropped": ("cancelled", "closed"), "closed": ("closed", "cancelled"),
}  # fmt: skip
"""State of an order to the codes that may stand for it, the nearest first."""
_RARE_KINDS = ("test", "wholesale")


def codes_of(layout: Layout, name: str) -> frozenset[str] | None:
    """The codes that a column of the layout can take; None where it has no such column."""
    if name in layout.constants:
        return frozenset({layout.constants[name]})
    if name in layout.first_of:
        known = [codes for one in layout.first_of[name].of if (codes := codes_of(layout, one)) is not None]
        return frozenset().union(*known) if known else None
    cell = layout.columns.get(name)
    if cell is None or cell.parse != "code":
        return None
    return frozenset(code for code in (*cell.codes.values(), *cell.prefixes.values(), cell.otherwise) if code)


def status_of(layout: Layout) -> pl.Expr:
    """The order's `state` in the layout's codes; null where it has no word for it: such orders are left out."""
    known = codes_of(layout, "status")
    itemised = _itemised_status(layout)
    status = pl.lit(None, pl.String())
    for state, codes in _NEAR.items():
        near = codes[-1] if known is None else next((code for code in codes if code in known - itemised), None)
        status = pl.when(_in_state(state)).then(pl.lit(near, pl.String())).otherwise(status)
    return status


def _in_state(state: str) -> pl.Expr:
    """Closed orders are those paid back; those that were never paid are dropped."""
    is_closed = pl.col("state") == "closed"
    if state == "dropped":
        return is_closed & pl.col("paid_at").is_null()
    return is_closed & pl.col("paid_at").is_not_null() if state == "closed" else pl.col("state") == state


def _itemised_status(layout: Layout) -> frozenset[str]:
    """The status codes whose words make a row a refund of its own: no order has them."""
    status, rule = layout.columns.get("status"), layout.refund
    if status is None or rule is None:
        return frozenset()
    cells = [(layout.columns[name], codes) for name, codes in rule.itemised_when.items()]
    words = [word for cell, codes in cells for word, code in cell.codes.items() if code in codes]
    return frozenset(code for word in words if (code := status.codes.get(word)) is not None)


def kind_of(layout: Layout) -> pl.Expr:
    """The order's kind: nearly always a purchase, now and then another that the layout has a word for."""
    known = codes_of(layout, "kind") or frozenset({"purchase"})
    rare = [kind for kind in _RARE_KINDS if kind in known]
    usual = pl.lit("purchase" if "purchase" in known else min(known))
    return pl.when(chance("rare kind", 30)).then(pick("which kind", rare)).otherwise(usual) if rare else usual


def money_forms(layout: Layout) -> dict[str, object]:
    """Built money to what it is built of: two columns of one form are one amount."""
    forms: dict[str, object] = {name: ("product", *parts) for name, parts in layout.products.items()}
    forms |= {name: ("sum", *sorted(one.plus), "-", *sorted(one.minus)) for name, one in layout.sums.items()}
    forms |= {name: ("cell", *cell.headers, cell.extract) for name, cell in layout.columns.items()}
    return forms


def can_discount(layout: Layout) -> bool:
    """Whether what was paid can differ from the list amount."""
    forms = money_forms(layout)
    return not {"gross_fen", "paid_fen"} <= forms.keys() or forms["gross_fen"] != forms["paid_fen"]


def says_refunds(layout: Layout) -> str:
    """`amount`, `full` (a word for all of it) or `none`: what the file tells of refunds on its orders."""
    if layout.refund is None or layout.refund.itemised_when:
        return "amount" if "refunded_fen" in layout.made else "none"
    return "amount" if layout.refund.column else "full"


def hidden(layout: Layout, column: str, by: str = ROW) -> pl.Expr:
    """Rows in which the person's key does not stand, or is masked."""
    return chance(f"{layout.name}/{column} is masked", 100, by)
