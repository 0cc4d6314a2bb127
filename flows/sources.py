"""What `strata sources list`, `new` and `drift` do. They only read, and none of them wakes Prefect."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from flows.begin import last_policy
from tasks.errors import BadFileError, ConfigurationError, MissingDataError
from tasks.policy.load import load_policy
from tasks.policy.models import Policy
from tasks.settings import Settings
from tasks.sources.corrections import Correction
from tasks.sources.declared import corrections_of, layouts_of
from tasks.sources.decode import open_export
from tasks.sources.drafting import ROWS_LOOKED_AT, draft_layout
from tasks.sources.drift import find_drift
from tasks.sources.layouts import Layout, built_in
from tasks.sources.opened import Opened, Wanted
from tasks.sources.recognise import known_headers
from tasks.sources.unpack import Part, Refusal, unpack
from tasks.steps.house import lake_at
from tasks.stores.abandoned import desk

ZONE = "Asia/Shanghai"
_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Surroundings:
    """Under which rules a file is looked at: a brand's, or the defaults where there is no brand yet."""

    layouts: tuple[Layout, ...]
    own: frozenset[str] = frozenset()
    """Names of the layouts that are the brand's."""
    corrections: tuple[Correction, ...] = ()
    zone: str = ZONE
    currency: str = "CNY"
    shops: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    most_refused: float = 0.02
    categories: tuple[tuple[str, str], ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """Every header of every layout."""
        return known_headers(self.layouts)

    def origin(self, layout: str) -> str:
        """Who wrote a layout."""
        return "brand" if layout in self.own else "strata"


def surroundings(policy: str = "", lake: str = "") -> Surroundings:
    """The policy named, else the last one of the lake, else none: then Strata's own layouts alone hold.

    Raises:
        BadPolicyError: the policy, one of its layouts or one of its corrections is not sound.
    """
    found = _policy(policy, lake)
    if found is None:
        return Surroundings(built_in())
    layouts = layouts_of(found.layouts)
    brand = found.brand
    return Surroundings(
        layouts, frozenset(str(document["name"]) for document in found.layouts),
        corrections_of(found.corrections, layouts), brand.zone, brand.currency, brand.shops,
        brand.max_quarantine_share, tuple((rule.match, rule.category) for rule in brand.categories),
    )  # fmt: skip


def _policy(folder: str, lake: str) -> Policy | None:
    settings = Settings()
    if folder or settings.policy:
        return load_policy(Path(folder or settings.policy))
    try:
        return last_policy(lake or settings.lake)
    except MissingDataError:
        return None


def list_layouts(policy: str = "", lake: str = "") -> list[dict[str, Any]]:
    """One row per layout, by channel and name."""
    around = surroundings(policy, lake)
    return [
        {
            "layout": one.name,
            "channel": one.channel,
            "one_row_is": one.grain,
            "formats": ", ".join(one.formats),
            "state": _state(one, around),
            "headers": len(known_headers([one])),
            "about": one.about,
        }
        for one in sorted(around.layouts, key=lambda layout: (layout.channel, layout.name))
    ]


def _state(layout: Layout, around: Surroundings) -> str:
    if layout.name in around.own:
        return "brand's own"
    return "verified" if layout.verified else "template"


@contextmanager
def taken_out(path: Path) -> Iterator[list[Part | Refusal]]:
    """The export files in one input file, unpacked for as long as they are looked at."""
    if not path.is_file():
        raise BadFileError(f"{path} is no file", expected="an export file", next_step="check the path")
    with desk(Path(Settings().scratch)) as scratch:
        yield list(unpack(path, path.name, scratch, passwords()))


def passwords() -> tuple[str, ...]:
    """Passwords to try on locked workbooks, from the settings."""
    return Settings().passwords


def new_layout(path: Path, name: str = "", channel: str = "", out: Path | None = None, policy: str = "") -> str:
    """Draft a layout for the first export file in `path`; write it to `out` when that is given.

    Raises:
        BadFileError: nothing in the file can be opened, or its first line is no header.
        ConfigurationError: `out` is there already; nothing is overwritten.
    """
    if out is not None and out.exists():
        raise ConfigurationError(f"{out} is there already", expected="a new file", next_step="name another one")
    around = surroundings(policy)
    with taken_out(path) as parts:
        opened, part = _first_opened(parts, around)
        text = draft_layout(
            opened.headers, _some_rows(opened, part), name=name or _named(out or path), channel=channel or "my_channel",
            file_format={"xls": "xlsx", "json": "jsonl"}.get(opened.format, opened.format), zone=around.zone,
        )  # fmt: skip
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    return text


def _first_opened(parts: list[Part | Refusal], around: Surroundings) -> tuple[Opened, Part]:
    """Open the first member that can be opened at all; its refusal is the answer when none can."""
    refused: BadFileError | None = None
    for part in parts:
        if isinstance(part, Refusal):
            refused = refused or part.error
            continue
        try:
            return open_export(part.path, part.name, around.known), part
        except BadFileError as error:
            refused = refused or error
    raise refused or BadFileError("there is no file in it", expected="an export file", next_step="look at it")


def _some_rows(opened: Opened, part: Part) -> pl.DataFrame:
    for chunk in opened.chunks(Wanted()):
        if chunk.rows.height:
            return chunk.rows.head(ROWS_LOOKED_AT)
    raise BadFileError(
        f"{part.name} has a header and no rows", expected="some rows to look at", next_step="export a longer period"
    )


def _named(path: Path) -> str:
    """An English code made of a file's name."""
    code = _NAME.sub("_", path.stem.lower()).strip("_")
    return code if code[:1].isalpha() else f"layout_{code}".rstrip("_")


def list_drift(lake: str = "", shop: str = "", last: int = 0) -> list[dict[str, Any]]:
    """One row per difference, in the order of export.

    Args:
        lake: lake root; that of the settings when empty.
        shop: shop id, or `channel/shop`; every shop when empty.
        last: only so many of the newest files; all when 0.
    """
    tables = lake_at(lake or Settings().lake)
    files = tables.scan("files", tables.snapshot()).filter(pl.col("outcome") == "accepted").collect()
    if shop:
        channel, _, own = shop.rpartition("/")
        files = files.filter(shop_id=own).filter((pl.col("channel") == channel) | pl.lit(not channel))
    found = find_drift(files.iter_rows(named=True))
    newest = (
        files.sort("exported_at", "received_at", "name", "sha256").tail(last)["sha256"] if last else files["sha256"]
    )
    return [row._asdict() for row in found if row.sha256 in set(newest)]
