"""Somebody forgotten in a small lake: who they were, how to forget them, and what must not be found afterwards."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from flows.begin import open_house
from flows.erasure_requests import key_of_text, seal_request
from flows.forget import forget
from flows.parameters import ForgetParameters, Parameters
from tasks.stores.runs import output_digests
from tasks.stores.tables import Lake
from tasks.transforms.erasure import renamed_ids


class Brand(Protocol):
    """A lake under a policy, of whichever of the small brands."""

    @property
    def told(self) -> dict[str, str]: ...


def house_of(told: dict[str, str]) -> Any:
    return open_house(Parameters(**told))


def asked(told: dict[str, str], who: str) -> str:
    """A sealed request about somebody given in clear; its id."""
    house = house_of(told)
    return seal_request(key_of_text(who, house), house)


def forgotten(told: dict[str, str], who: str) -> dict[str, Any]:
    """Forget somebody; the summary."""
    summary: dict[str, Any] = forget(ForgetParameters(request=asked(told, who), **told))
    return summary


def tokens_of(keys: Iterable[str]) -> list[str]:
    """What must not be found of printed keys: pseudonyms and customer ids."""
    keys = sorted(keys)
    return [*(key.rpartition(":")[2] for key in keys), *renamed_ids({key: key for key in keys}, {})]


def tables_of(lake: Lake) -> dict[str, pl.DataFrame]:
    """Every table as it stands."""
    snapshot = lake.snapshot()
    return {name: lake.scan(name, snapshot).collect() for name in sorted(snapshot.tables)}


def without(rows: pl.DataFrame, tokens: Iterable[str], numbers: Iterable[str] = ()) -> pl.DataFrame:
    """The rows in which none of the tokens stands, nor one of the orders, in one order."""
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    told = [pl.col(name).str.contains_any(list(tokens)) for name in texts]
    told += [pl.col("order_id").is_in(list(numbers))] if "order_id" in rows.columns else []
    told += [pl.col("record").str.split(":").list.last().is_in(list(numbers))] if "record" in rows.columns else []
    plain = rows.select(name for name, dtype in rows.schema.items() if dtype != pl.Binary)
    return plain.filter(~pl.any_horizontal(pl.lit(value=False), *told).fill_null(value=False)).sort(pl.all())


def came(old: pl.DataFrame, new: pl.DataFrame, column: str) -> list[str]:
    """Values that stand in a column now and did not before."""
    return sorted(set(new[column].drop_nulls()) - set(old[column].drop_nulls()))


def money_of(tables: dict[str, pl.DataFrame]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows and money per table, by month and channel where it has them."""
    return {name: _sums(rows) for name, rows in tables.items() if name not in {"runs", "contacts"}}


def _sums(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    by = [name for name in ("channel", "shop_id", "paid_month", "event_month", "as_of") if name in rows.columns]
    counted = ("_fen", "_count", "frequency", "value")
    money = [name for name, dtype in rows.schema.items() if name.endswith(counted) and dtype.is_numeric()]
    grouped = rows.group_by(by or pl.lit(0).alias("all")).agg(pl.len(), pl.col(money).sum())
    return grouped.sort(pl.all()).rows()


def recorded(runs: pl.DataFrame) -> dict[str, str]:
    """The digests of the newest refresh."""
    return output_digests(runs.filter(flow="refresh").row(-1, named=True))


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file, but for what is told at every opening of the vault."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if "access" not in path.parts}
