"""What `strata sources check FILE` does: reads an export as an ingest would, and writes nothing.

The rows lie in a temporary folder while they are looked at; keys are hashed under a key that is
thrown away, contacts are dropped, and what is shown is masked.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from expectations.check import redact
from expectations.tables import TABLES
from expectations.vocabulary import INSTANT
from flows.clock import business_date, parse_instant, this_instant
from flows.sources import Surroundings, surroundings, taken_out
from tasks.errors import BadFileError
from tasks.settings import Settings
from tasks.sources.decode import open_export
from tasks.sources.headers import normalise_header, unique_names
from tasks.sources.layouts import Layout
from tasks.sources.meanings import meaning_of
from tasks.sources.opened import Opened
from tasks.sources.read import Export, ReadContext, read_export
from tasks.sources.recognise import Match, recognise
from tasks.sources.spill import waiting
from tasks.sources.unpack import Part, Refusal
from tasks.stores.abandoned import desk
from tasks.stores.cover import passing_cover
from tasks.stores.digests import file_sha256
from tasks.stores.vault import Pseudonymiser

ROWS_SHOWN = 3
NOT_TOLD = "not told"
_NOT_SHOWN = {"channel", "shop_id", "exported_at", "known_from", "known_to", "file_sha256", "content_hash"}
_IN_CLEAR = {"key_type", "key_scope", "event_name", "currency"}

Told = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """How a person wants a file to be looked at."""

    shop: str = ""
    channel: str = ""
    exported_at: str = ""
    """A date (its start) or an instant, as people write it."""
    policy: str = ""
    lake: str = ""


def check_file(path: Path, look: Look) -> list[Told]:
    """One account per export file in `path`, as an ingest would read it."""
    around = surroundings(look.policy, look.lake)
    with taken_out(path) as parts:
        return [_refused(part) if isinstance(part, Refusal) else _checked(part, look, around) for part in parts]


def _refused(part: Refusal) -> Told:
    return {"file": part.name, "outcome": "refused", **_why(part.error)}


def _why(error: BadFileError) -> Told:
    return {"found": error.found, "expected": error.expected, "next": error.next_step}


def _checked(part: Part, look: Look, around: Surroundings) -> Told:
    told: Told = {"file": part.name, "outcome": "refused"}
    try:
        opened = open_export(part.path, part.name, around.known)
        told |= _container(opened, part)
        match = recognise(opened, around.layouts, part.name, look.channel or None)
        told |= _recognised(match, opened, around)
        with desk(Path(Settings().scratch)) as scratch:
            export = read_export(part.path, _context(part, match.layout, look, around), scratch, around.layouts)
            told |= _accounted(export, match.layout, around)
    except BadFileError as error:
        return told | _why(error)
    return told


def _container(opened: Opened, part: Part) -> Told:
    return {
        "format": opened.format,
        "encoding": opened.encoding or "not a text file",
        "columns": len(opened.headers),
        "about": [*part.about, *opened.about],
    }


def _recognised(match: Match, opened: Opened, around: Surroundings) -> Told:
    """Which layout, and what becomes of each header."""
    layout = match.layout
    headers = {normalise_header(header) for header in opened.headers}
    printed = dict(zip(unique_names(opened.headers), opened.headers, strict=True))
    return {
        "layout": f"{layout.name} ({around.origin(layout.name)}), {match.score} headers known",
        "runner_up": f"{match.runner_up}, {match.runner_up_score} headers known" if match.runner_up else "none fits",
        "one_row_is": layout.grain,
        "mapped": [
            {
                "column": target,
                "header": ", ".join(printed[name] for name in found),
                "read_as": layout.columns[target].parse,
            }
            for target, found in match.sources.items()
        ],
        "not_read": sum(normalise_header(header) in headers for header in layout.known),
        "unmapped": list(match.extra),
        "missing": list(match.missing),
    }


def _context(part: Part, layout: Layout, look: Look, around: Surroundings) -> ReadContext:
    received_at = this_instant()
    cover, uncover = passing_cover()
    return ReadContext(
        file_sha256=file_sha256(part.path),
        name=part.name,
        received_at=received_at,
        file_month=f"{business_date(received_at, around.zone):%Y-%m}",
        zone=around.zone,
        currency=around.currency,
        pseudonymise=Pseudonymiser("check", (secrets.token_hex(32),)),
        shops={layout.channel: _shop(layout, look, around) or NOT_TOLD},
        seal=lambda contacts: contacts.drop("value"),
        cover=cover,
        uncover=uncover,
        channel=look.channel or None,
        shop_id=look.shop or None,
        exported_at=parse_instant(look.exported_at, around.zone) if look.exported_at else None,
        corrections=around.corrections,
        categories=around.categories,
    )


def _shop(layout: Layout, look: Look, around: Surroundings) -> str | None:
    """The shop that was told, or the only one that the brand has in the channel."""
    declared = around.shops.get(layout.channel)
    return look.shop or (declared if isinstance(declared, str) else layout.shop or None)


def _accounted(export: Export, layout: Layout, around: Surroundings) -> Told:
    """What came of the rows, and whether an ingest would refuse the file after all."""
    told: Told = {
        "outcome": "accepted",
        "shop": f"{export.channel}/{export.shop_id}",
        "exported_at": f"{export.exported_at:%Y-%m-%d %H:%M} UTC",
        "account": _account(export),
        "feeds": {name: _height(paths) for name, paths in export.tables.items()},
        "problems": _problems(export.frame("quarantine")),
        "differs": _differs(export.drift),
        "first_rows": _first_rows(export),
    }
    error = _refusal(export, layout, around)
    return told if error is None else told | _why(error) | {"outcome": "refused"}


def _refusal(export: Export, layout: Layout, around: Surroundings) -> BadFileError | None:
    if export.shop_id == NOT_TOLD:
        return BadFileError(
            f"nothing says which shop of {layout.channel} this is", expected="a shop",
            next_step=f"pass --shop, put it into a folder {layout.channel}/SHOP/, or add it to `shops` of brand.yaml",
        )  # fmt: skip
    if export.rows_read and export.rows_refused / export.rows_read > around.most_refused:
        return BadFileError(
            f"{export.rows_refused} of {export.rows_read} rows are refused",
            expected=f"at most {around.most_refused:.1%} (max_quarantine_share)",
            next_step="look at the problems: most often a column is read as something that it is not",
        )
    return None


def _account(export: Export) -> list[Told]:
    """Read = good + refused, in rows and in fen; an amount that cannot be read counts as 0."""
    good = export.rows_read - export.rows_refused
    money = export.money_read_fen - export.money_refused_fen
    return [
        {"what": "read", "rows": export.rows_read, "money_fen": export.money_read_fen},
        {"what": "good", "rows": good, "money_fen": money},
        {"what": "refused", "rows": export.rows_refused, "money_fen": export.money_refused_fen},
        {"what": "amount unreadable", "rows": export.money_unreadable, "money_fen": 0},
    ]


def _height(paths: tuple[Path, ...]) -> int:
    return int(waiting(paths).select(pl.len()).collect().item())


def _problems(refused: pl.DataFrame) -> list[Told]:
    """One row per rule and column, the most frequent first, with an example that is masked."""
    grouped = refused.group_by("rule", "column").agg(
        pl.col("row_number").n_unique().alias("rows"), pl.col("row_number").min().alias("first"),
        pl.col("value_redacted").drop_nulls().first().alias("example"),
    )  # fmt: skip
    rows = grouped.sort("rows", "rule", descending=[True, False]).iter_rows(named=True)
    return [
        {"rule": row["rule"], "rows": row["rows"], "first_row": row["first"], "example": row["example"],
         "means": meaning_of(row["rule"], row["column"]).what}
        for row in rows
    ]  # fmt: skip


def _differs(drift: Mapping[str, Any]) -> list[Told]:
    """What the cells show that the layout did not expect, and what corrections changed."""
    rows = [{"what": "retyped column", "in": column, "found": None} for column in drift.get("changed", ())]
    for what, name in (("unknown words", "unknown_codes"), ("unusable keys", "unusable"), ("look at rows", "flagged")):
        rows += [{"what": what, "in": column, "found": _listed(found)} for column, found in drift.get(name, {}).items()]
    corrected = drift.get("corrected", {})
    return [*rows, *({"what": "corrected rows", "in": name, "found": count} for name, count in corrected.items())]


def _listed(found: Any) -> Any:
    if isinstance(found, dict):
        return ", ".join(f"{what} {count}" for what, count in found.items())
    return ", ".join(map(str, found)) if isinstance(found, list) else found


def _first_rows(export: Export) -> list[Told]:
    """The first rows as the table will have them: names, numbers and keys masked."""
    table = TABLES[export.primary]
    paths = export.tables.get(export.primary, ())
    if not paths:
        return []
    rows = waiting(paths).sort("row_number").head(ROWS_SHOWN).collect()
    names = [name for name in table.columns if name not in _NOT_SHOWN and rows[name].null_count() < rows.height]
    return rows.select(_masked(name, rows.schema[name]) for name in names).to_dicts()


def _masked(name: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if name.endswith("_key"):
        return value.str.replace(r"[0-9a-f]{16,}$", "…")
    if kind == INSTANT:
        return value.dt.strftime("%Y-%m-%d %H:%M UTC")
    is_text = kind == pl.String() and not name.endswith("_month")
    is_open = name in _IN_CLEAR or any(name in table.columns and table.codes_of(name) for table in TABLES.values())
    return redact(value).alias(name) if is_text and not is_open else value.cast(pl.String)
