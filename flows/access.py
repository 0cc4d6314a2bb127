"""What `strata access` does: everything held about one person, as a page to read and as JSON (PIPL art. 45).

Contacts are opened for this one person, in a role that the policy lets see raw rows, and on the record.
"""

import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from expectations.tables import TABLES
from expectations.vocabulary import VOCABULARY
from flows.begin import House
from flows.forgetting import Wish
from flows.plan import outbox_of
from tasks.errors import ConfigurationError, SecurityRefusedError
from tasks.refs import Snapshot
from tasks.steps.forgotten import find_person
from tasks.steps.house import objects_at
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import EVERY_TYPE, Purpose
from tasks.stores.erased_sends import sends_with
from tasks.stores.opener import Opener
from tasks.stores.whole import create_whole
from tasks.transforms.erasure import Person, Renaming, renaming_of, touched

OWNER_ALONE = 0o600
APART = frozenset({"contacts", "runs", "tombstones", "erasures", "quarantine", "files"})
"""Tables that are not about persons, or are told in another way."""
SIDES = ("key_a", "key_b", "one_id_a", "one_id_b", "old_id", "new_id")
Rows = list[dict[str, Any]]


def write_access(asked: str, out: Path, role: str, wish: Wish) -> dict[str, Any]:
    """Write `access.json` and `access.html` into a new folder, for its owner alone.

    Raises:
        SecurityRefusedError: the policy does not let that role see raw rows.
        ConfigurationError: the folder is there already.
        MissingDataError: nobody is meant.
    """
    house = wish.house
    if role not in house.policy.brand.raw_roles:
        raise SecurityRefusedError(
            f"the role {role or 'none'} may not see personal data in clear",
            expected=f"one of {', '.join(house.policy.brand.raw_roles) or 'none'} (raw_roles in brand.yaml)",
            next_step="ask somebody in one of these roles",
        )
    if out.exists():
        raise ConfigurationError(f"{out} is there already", expected="a new folder", next_step="name another one")
    held = everything(asked, role, house, outbox_of(wish.parameters))
    out.mkdir(parents=True, mode=0o700)
    text = json.dumps(held, ensure_ascii=False, indent=1, default=str)
    create_whole(out / "access.json", [text.encode()], OWNER_ALONE)
    create_whole(out / "access.html", [page_of(held).encode()], OWNER_ALONE)
    return {"written": str(out), "tables": {name: len(rows) for name, rows in held["tables"].items()},
            "contacts": len(held["contacts"]), "sends": len(held["sends"])}  # fmt: skip


def everything(asked: str, role: str, house: House, outbox: str) -> dict[str, Any]:
    """All rows of all tables that say anything of the person, their contacts in clear, and where these went."""
    snapshot = house.lake.snapshot()
    person = find_person(house.lake, snapshot, asked)
    naming = renaming_of(person, b"only to find, nothing is renamed")
    names = sorted(set(snapshot.tables) - APART)
    tables = {name: rows for name in names if (rows := _rows(house, snapshot, name, naming))}
    return {
        "brand": house.policy.brand.code,
        "at": house.started_at.isoformat(),
        "customer_ids": sorted({row["one_id"] for row in tables.get("identities", [])}),
        "contacts": _contacts(house, snapshot, person, role),
        "sends": [send.id for send in sends_with(objects_at(outbox), naming.tokens)],
        "received_in": _files(house, snapshot, tables),
        "tables": tables,
    }


def _rows(house: House, snapshot: Snapshot, name: str, naming: Renaming) -> Rows:
    """Rows about the person; somebody else's row that mentions them is somebody else's."""
    rows = house.lake.scan(name, snapshot).collect()
    mine = rows.filter(touched(rows, name, naming))
    if "one_id" in mine.columns and name != "touches":
        mine = mine.filter(pl.col("one_id").is_in(sorted(naming.tokens)))
    sides = [pl.col(side).pipe(_own_side, naming).alias(side) for side in SIDES if side in mine.columns]
    return mine.with_columns(sides).sort(*TABLES[name].key).to_dicts()


def _own_side(key: pl.Expr, naming: Renaming) -> pl.Expr:
    """A key or id where it is the person's own; the other side of a link or a move is not told."""
    return pl.when(key.str.contains_any(sorted(naming.tokens))).then(key).otherwise(pl.lit("somebody else"))


def _contacts(house: House, snapshot: Snapshot, person: Person, role: str) -> Rows:
    """Kind, value and day of receipt of every sealed contact, opened on the record."""
    sealed = (
        house.lake.scan("contacts", snapshot).filter(pl.col("pseudonym").is_in(sorted(person.pseudonyms))).collect()
    )
    if sealed.is_empty():
        return []
    purpose = Purpose(role=role, what="everything held about one person", contact_type=EVERY_TYPE, most=sealed.height)
    opener = Opener(keeper_of(house.policy, house.uri).ring(), objects_at(house.uri), purpose)
    columns = ("contact_type", "known_from", "file_sha256")
    return opener.contacts(sealed, columns).sort("contact_type", "value").to_dicts()


def _files(house: House, snapshot: Snapshot, tables: Mapping[str, Rows]) -> Rows:
    """The exports in which the person came."""
    shas = {row["file_sha256"] for rows in tables.values() for row in rows if row.get("file_sha256")}
    files = house.lake.scan("files", snapshot).filter(pl.col("sha256").is_in(sorted(shas)))
    return files.select("name", "channel", "shop_id", "received_at", "sha256").sort("name").collect().to_dicts()


def page_of(held: Mapping[str, Any]) -> str:
    """The same as a page without scripts, that a printer takes."""
    body = "\n".join(_sections(held))
    return (
        "<!doctype html><html lang=zh><meta charset=utf-8><title>个人信息 / Personal data</title>"
        "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:70rem}table{border-collapse:collapse;"
        "margin:.5rem 0 2rem;font-size:13px}td,th{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;"
        f"vertical-align:top}}p{{color:#444}}</style>\n{body}</html>\n"
    )


def _sections(held: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h1>个人信息 / Personal data</h1><p>{_text(held['brand'])}, {_text(held['at'])}</p>"
    yield f"<h2>联系方式 / Contacts</h2>{_table(held['contacts'])}"
    yield f"<h2>来源文件 / Files in which it came</h2>{_table(held['received_in'])}"
    yield f"<h2>触达 / Messages for you went out in</h2>{_table([{'send': send} for send in held['sends']])}"
    for name, rows in held["tables"].items():
        yield f"<h2>{_text(name)}</h2><p>{_text(TABLES[name].grain)}</p>{_table(rows)}"


def _table(rows: Rows) -> str:
    """Rows as a table; each heading says what the column means, columns without a value are left out."""
    if not rows:
        return "<p>无 / none</p>"
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    head = "".join(f'<th title="{_text(_meaning(name))}">{_text(name)}</th>' for name in names)
    lines = ("".join(f"<td>{_text(row[name])}</td>" for name in names) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _meaning(name: str) -> str:
    return VOCABULARY[name].meaning if name in VOCABULARY else name


def _text(value: Any) -> str:
    return html.escape("" if value is None else str(value))
