"""What `strata quarantine list` and `explain` do: rows and files that were refused, and what to do about them."""

from typing import Any

import polars as pl

from tasks.errors import MissingDataError
from tasks.settings import Settings
from tasks.sources.meanings import known_rules, meaning_of
from tasks.steps.house import lake_at

EXAMPLES = 5
Told = dict[str, Any]


def list_quarantine(lake: str = "", shop: str = "", rule: str = "", file: str = "") -> dict[str, list[Told]]:
    """Refused `rows`, one entry per file and rule; and `files` that were refused as a whole, with the reason.

    Money is counted once per row and rule. `shop` is a shop id or `channel/shop`; `file` a part of the file's name.
    """
    files = _files(lake, shop, file)
    rows = _counted(_refused_rows(lake).join(files, left_on="file_sha256", right_on="sha256", how="inner"))
    if rule:
        rows = rows.filter(pl.col("rule") == rule)
    whole = files.filter((pl.col("outcome") == "refused") & pl.lit(not rule)).sort("received_at", "name")
    return {
        "rows": rows.to_dicts(),
        "files": whole.select("name", "sha256", "received_at", "reason").to_dicts(),
    }


def explain_refusal(what: str, lake: str = "") -> Told:
    """Explain a rule by its name, or a file by its name or the beginning of its SHA-256.

    Raises:
        MissingDataError: no file is called so, and no rule.
    """
    rows = _refused_rows(lake)
    if what in set(known_rules()) | set(rows["rule"].unique()):
        return _of_rule(what, rows.filter(pl.col("rule") == what), _files(lake))
    file = find_file(what, lake)
    if file["outcome"] == "refused":
        return {"file": file["name"], "sha256": file["sha256"], "outcome": "refused as a whole",
                "why": file["reason"]}  # fmt: skip
    mine = rows.filter(pl.col("file_sha256") == file["sha256"])
    return {
        "file": file["name"],
        "sha256": file["sha256"],
        "outcome": f"{file['rows_quarantined']} of {file['rows_read']} rows refused",
        "rules": [_in_words(entry) for entry in _rules(mine).to_dicts()],
        "next": "`strata quarantine export` them for correction, or declare a correction" if mine.height else "nothing",
    }


def find_file(what: str, lake: str = "") -> Told:
    """One row of `files`, by name, by the name in its archive, or by the beginning of its SHA-256.

    Raises:
        MissingDataError: no file is called so, or several are.
    """
    files = _files(lake)
    by_name = files.filter((pl.col("name") == what) | pl.col("name").str.ends_with(f"/{what}"))
    found = by_name if by_name.height else files.filter(pl.col("sha256").str.starts_with(what.lower()))
    if found.height == 1:
        return found.row(0, named=True)
    if found.is_empty():
        raise MissingDataError(
            f"no file {what} has been ingested, and no rule is called so",
            expected="a file's name, the beginning of its SHA-256, or a rule",
            next_step="`strata quarantine list` shows both",
        )
    shas = ", ".join(sha256[:12] for sha256 in found.sort("received_at")["sha256"])
    raise MissingDataError(
        f"{found.height} files are called {what}", expected=f"one of {shas}", next_step="name it by its SHA-256"
    )


def _files(lake: str, shop: str = "", file: str = "") -> pl.DataFrame:
    tables = lake_at(lake or Settings().lake)
    files = tables.scan("files", tables.snapshot())
    channel, _, own = shop.rpartition("/")
    if shop:
        files = files.filter(pl.col("shop_id") == own)
    if channel:
        files = files.filter(pl.col("channel") == channel)
    return files.filter(pl.col("name").str.contains(file, literal=True)).collect()


def _refused_rows(lake: str) -> pl.DataFrame:
    """One row per refused source row and rule."""
    tables = lake_at(lake or Settings().lake)
    return tables.scan("quarantine", tables.snapshot()).collect()


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per file and rule: how many source rows, and their money."""
    counts = rows.group_by("name", "file_sha256", "channel", "shop_id", "received_at", "rule", "column").agg(
        rows=pl.col("row_number").n_unique(), money_fen=pl.col("row_money_fen").sum()
    )
    ordered = counts.sort("received_at", "name", "rows", "rule", descending=[False, False, True, False])
    return ordered.select(
        file="name", sha256="file_sha256", shop=pl.format("{}/{}", "channel", "shop_id"), rule="rule",
        column="column", rows="rows", money_fen="money_fen",
    )  # fmt: skip


def _rules(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per rule and column, the most frequent first, with a few masked values."""
    counts = rows.group_by("rule", "column").agg(
        rows=pl.col("row_number").n_unique(), money_fen=pl.col("row_money_fen").sum(),
        first_rows=pl.col("row_number").unique().sort().head(EXAMPLES),
        found=pl.col("value_redacted").drop_nulls().unique().sort().head(EXAMPLES),
    )  # fmt: skip
    return counts.sort("rows", "rule", descending=[True, False])


def _in_words(entry: Told) -> Told:
    meaning = meaning_of(entry["rule"], entry["column"])
    return {
        "rule": entry["rule"], "rows": entry["rows"], "money_fen": entry["money_fen"],
        "first_rows": ", ".join(map(str, entry["first_rows"])), "found": ", ".join(entry["found"]),
        "means": meaning.what, "what_to_do": meaning.remedy,
    }  # fmt: skip


def _of_rule(rule: str, rows: pl.DataFrame, files: pl.DataFrame) -> Told:
    columns = rows["column"].drop_nulls().unique().to_list()
    meaning = meaning_of(rule, columns[0] if columns else None)
    named = rows.join(files, left_on="file_sha256", right_on="sha256")
    found = rows["value_redacted"].drop_nulls().unique().sort().head(EXAMPLES)
    return {
        "rule": rule, "means": meaning.what, "what_to_do": meaning.remedy, "found": found.to_list(),
        "files": [{"file": row["file"], "rows": row["rows"], "money_fen": row["money_fen"]}
                  for row in _counted(named).iter_rows(named=True)],
    }  # fmt: skip
