"""The fitted models of one date as rows, and back: what was accepted, what is carried on, what there is too little for.

Scores are worked out from the rows, never from the fit: what stands in the table is what was used.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from expectations.tables import TABLES
from tasks.policy.value import Value
from tasks.transforms.value.buying import Buying, BuyingLaw
from tasks.transforms.value.fit import Fit, fit_buying, fit_spending, rounded
from tasks.transforms.value.histories import histories_of, purchases_of
from tasks.transforms.value.spending import Spending, correlation, population_mean

SPENDING_MODEL = "gamma_gamma"
BUYING_NAMES = ("r", "alpha_days", "a", "b")
SPENDING_NAMES = ("p", "q", "v_fen")
_ACCEPTED = ("accepted", "carried")
_GRADIENT_DECIMALS = 9
_SUM_DIGITS = 9

Numbers = dict[str, float | None]


@dataclass(frozen=True)
class Models:
    """What customers are scored by; None where nothing was ever accepted."""

    law: BuyingLaw
    buying: Buying | None
    spending: Spending | None


def fit_models(
    customers: pl.LazyFrame, previous: pl.LazyFrame | None, policy: Value, as_of: date
) -> pl.LazyFrame:  # fmt: skip
    """One row per number of each model at `as_of`: the table models, in its key's order.

    `customers` needs the columns of the table customers that orders give. A model that does not
    converge, or has too few customers, keeps the parameters last accepted in `previous`, the rows of the date before.
    """
    rows = [*_buying_rows(customers, previous, policy, as_of), *_spending_rows(customers, previous, policy)]
    table = TABLES["models"]
    frame = pl.LazyFrame(rows, schema={name: table.schema[name] for name in table.columns if name != "as_of"})
    return frame.with_columns(as_of=pl.lit(as_of)).select(table.columns).sort(table.key)


def models_of(rows: pl.LazyFrame, policy: Value) -> Models:
    """The parameters that rows of the table hold for the policy's models."""
    buying, spending = _parameters(rows, policy.model, BUYING_NAMES), _parameters(rows, SPENDING_MODEL, SPENDING_NAMES)
    return Models(
        BuyingLaw(policy.model),
        None if buying is None else Buying(*buying),
        None if spending is None else Spending(*spending),
    )


def _parameters(rows: pl.LazyFrame | None, model: str, names: tuple[str, ...]) -> tuple[float, ...] | None:
    if rows is None:
        return None
    usable = rows.filter(pl.col("model") == model, pl.col("fit_status").is_in(_ACCEPTED)).collect()
    found = dict(usable.select("parameter", "estimate").iter_rows())
    values = tuple(found[name] for name in names if found.get(name) is not None)
    return values if len(values) == len(names) else None


def _buying_rows(
    customers: pl.LazyFrame, previous: pl.LazyFrame | None, policy: Value, as_of: date
) -> list[dict[str, object]]:  # fmt: skip
    histories = histories_of(customers, as_of, policy.fit_customers)
    repeats, total = float(histories.customers[histories.x > 0].sum()), float(histories.customers.sum())
    about: Numbers = {"one_time_share": round(1 - repeats / total, 4) if total else None}
    fit = None
    if total >= policy.min_customers and repeats >= policy.min_repeat_customers:
        fit = fit_buying(BuyingLaw(policy.model), histories)
    return _rows(policy.model, BUYING_NAMES, fit, _parameters(previous, policy.model, BUYING_NAMES), about)


def _spending_rows(customers: pl.LazyFrame, previous: pl.LazyFrame | None, policy: Value) -> list[dict[str, object]]:
    purchases = purchases_of(customers, policy.fit_customers)
    fit, about = None, Numbers()
    if purchases.customers.sum() >= policy.min_repeat_customers:
        fit = fit_spending(purchases)
        about["correlation"] = round(correlation(purchases), 4)
        if fit.parameters:
            about["population_mean_fen"] = rounded(population_mean(Spending(*fit.parameters)))
    return _rows(SPENDING_MODEL, SPENDING_NAMES, fit, _parameters(previous, SPENDING_MODEL, SPENDING_NAMES), about)


def _rows(
    model: str, names: tuple[str, ...], fit: Fit | None, earlier: tuple[float, ...] | None, about: Numbers
) -> list[dict[str, object]]:  # fmt: skip
    """Rows of one model: its parameters with where they come from, then what describes the fit of this date."""
    fresh = "too_few" if fit is None else "not_converged" if fit.parameters is None else "accepted"
    parameters, status = (fit.parameters if fit else None), fresh
    if parameters is None and earlier is not None:
        parameters, status = earlier, "carried"
    values = parameters or (None,) * len(names)
    rows = [_row(model, name, value, status) for name, value in zip(names, values, strict=True)]
    return rows + [_row(model, name, value, fresh) for name, value in (about | _told(fit)).items()]


def _told(fit: Fit | None) -> Numbers:
    if fit is None:
        return {}
    told: Numbers = {"customers_fitted": float(fit.customers)}
    if fit.parameters is None:
        return told
    return told | {
        "log_likelihood": rounded(fit.log_likelihood, _SUM_DIGITS),
        "gradient": round(fit.gradient, _GRADIENT_DECIMALS),
        "at_bound": float(fit.at_bound),
    }


def _row(model: str, name: str, value: float | None, status: str) -> dict[str, object]:
    return {"model": model, "parameter": name, "estimate": value, "fit_status": status}
