"""The cells of a vendor's file as text: ids untouched, texts that no spreadsheet runs, columns as the profile says."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from tasks.errors import BadPolicyError
from tasks.policy.variants import BESIDE, OF_VARIANT
from tasks.policy.vendors import Vendor, VendorColumn
from tasks.stores.vendor.forms import written_id

CONTACT: Final = "contact"
_APART: Final = frozenset({CONTACT, "one_id", "recipient_key"})
_FORMULA: Final = r"^[=+\-@\t\r\n\x00＝＋－＠]"


def variables_in(columns: Sequence[str]) -> tuple[str, ...]:
    """The template's variables among the columns of an increment, in order of name."""
    beside = set(told_of_variants(columns).values())
    return tuple(name for name in _texts_in(columns) if name not in beside)


def told_of_variants(columns: Sequence[str]) -> dict[str, str]:
    """By name the columns that the run adds for a campaign with variants: `variant`, `template`, `hour`; none else.

    Where the campaign has a variable of such a name, the column has another: see transforms/variables.py.
    """
    told = {name: f"{BESIDE}{name}" if f"{BESIDE}{name}" in columns else name for name in OF_VARIANT}
    return told if set(told.values()) <= set(columns) else {}


def _texts_in(columns: Sequence[str]) -> tuple[str, ...]:
    """The template's variables and what the run tells of variants under a plain name, in order of name."""
    return tuple(sorted(name for name in columns if name not in _APART and not name.startswith(BESIDE)))


def variables_of(vendor: Vendor, columns: Sequence[str]) -> tuple[str, ...]:
    """The variables that the profile writes, in order of its columns, of those that `columns` holds.

    Requests go by the variant's own template: what the run tells of variants comes behind.
    """
    sources = [column.source for column in vendor.columns]
    sources += [field.source for field in (vendor.request.fields if vendor.request else ())]
    named = [name for source in sources for name in _names_in(source, columns)]
    return tuple(dict.fromkeys([*named, *(told_of_variants(columns).values() if vendor.request else ())]))


def _names_in(source: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The variables that one source reads."""
    kind, _, name = source.partition(":")
    if kind in {"variables", "values", "row"}:
        return _texts_in(columns)
    return (name,) if kind in {"variable", "list"} else ()


def check_profile(vendor: Vendor, columns: Sequence[str]) -> None:
    """Raise BadPolicyError where the profile wants a column that is not given, or cannot hold all that are."""
    missing = [name for name in (CONTACT, *variables_of(vendor, columns)) if name not in columns]
    if missing:
        raise BadPolicyError(
            f"vendor {vendor.code} writes {', '.join(missing)}, which the campaign does not give",
            expected=f"variables among {', '.join(sorted(columns))}",
            next_step="add the variable to the campaign, or take the column out of the vendor's profile",
        )
    headers = headers_of(vendor, columns)
    if len(headers) > (vendor.columns_most or len(headers)) or len(set(headers)) < len(headers):
        raise BadPolicyError(
            f"the file for {vendor.code} would have {len(headers)} columns: {', '.join(headers)}",
            expected=f"at most {vendor.columns_most or 'as many as there are'}, each header once",
            next_step="give the campaign fewer variables, or other names",
        )


def headers_of(vendor: Vendor, columns: Sequence[str]) -> tuple[str, ...]:
    """The headers of a file, `variables` spread out."""
    return tuple(header for header, _ in _spread(vendor, columns))


def cells(rows: pl.DataFrame, vendor: Vendor) -> pl.DataFrame:
    """One row per row, in order, and one text column per column of the file; an empty text is null."""
    spread = _spread(vendor, rows.columns)
    return rows.select(_cell(source, vendor).alias(header) for header, source in spread)


def _spread(vendor: Vendor, columns: Sequence[str]) -> list[tuple[str, str]]:
    """Header and source of each column of the file; `variables` become one column for each."""
    return [pair for column in vendor.columns for pair in _one_or_more(column, _listed(column, vendor, columns))]


def _listed(column: VendorColumn, vendor: Vendor, columns: Sequence[str]) -> tuple[str, ...]:
    """What `variables` become: in a request the template's own; in a file of all variants also what tells them apart.

    Where headers are numbers, which the vendor takes for places in the template, that stands behind.
    """
    own, every = variables_in(columns), _texts_in(columns)
    if vendor.request:
        return own
    return every if "{name}" in column.header else (*own, *(name for name in OF_VARIANT if name in {*every} - {*own}))


def _one_or_more(column: VendorColumn, names: Sequence[str]) -> list[tuple[str, str]]:
    if column.source != "variables":
        return [(column.header, column.source)]
    return [
        (column.header.replace("{name}", name).replace("{n}", str(n)), f"variable:{name}")
        for n, name in enumerate(names, start=1)
    ]


def _cell(source: str, vendor: Vendor) -> pl.Expr:
    """One column's text. Ids are never touched but brought into the vendor's form; texts are made safe."""
    kind, _, name = source.partition(":")
    if kind == CONTACT:
        return written_id(pl.col(CONTACT), vendor)
    if kind == "fixed":
        return pl.lit(name)
    text = pl.col(name).cast(pl.String).replace("", None)
    if vendor.quoting == "never" or vendor.format == "txt":
        text = text.str.replace_all(r'[,"\r\n\t\x00]', " ")
    return text if vendor.request else safe_text(text)


def safe_text(text: pl.Expr) -> pl.Expr:
    """Text that no spreadsheet runs: an apostrophe goes before what begins like a formula (ASVS 1.2.10).

    Quoting alone does not help; full-width signs count, because Excel folds them.
    """
    return pl.when(text.str.contains(_FORMULA)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)
