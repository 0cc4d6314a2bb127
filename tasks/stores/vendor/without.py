"""A stored part without certain people: every other row as it stands, in whatever format the part was written."""

import csv
import io
import json
from collections.abc import Collection, Iterator
from typing import Any

import polars as pl

from tasks.policy.vendors import Request, RequestField, Vendor
from tasks.stores.vendor.archive import pack, unpack
from tasks.stores.vendor.forms import written_id
from tasks.stores.vendor.lines import LINE_ENDS
from tasks.stores.vendor.workbook import workbook_parts

Gone = tuple[dict[str, Any] | None, int]
"""What is left of a request, and how many people went."""


def without(data: bytes, name: str, contacts: Collection[str], vendor: Vendor) -> tuple[bytes, int]:
    """The part's bytes without the rows of these contacts (in plain form), and how many rows went."""
    ids = _written(contacts, vendor)
    stem = name.removesuffix(vendor.suffix)
    inner = unpack(data, vendor)
    match vendor.format:
        case "xlsx":
            kept, gone = _of_workbook(inner, ids, vendor)
        case "json" | "jsonl" if vendor.request:
            kept, gone = _of_requests(inner, ids, vendor.request)
        case _:
            kept, gone = _of_lines(inner, ids, vendor)
    return pack(kept, stem, vendor), gone


def _written(contacts: Collection[str], vendor: Vendor) -> frozenset[str]:
    """The contacts as they may stand in a file: in the vendor's form, and as the vault has them."""
    plain = pl.DataFrame({"contact": sorted(contacts)}, {"contact": pl.String})
    formed = plain.select(written_id(pl.col("contact"), vendor)).to_series().drop_nulls()
    return frozenset([*contacts, *formed])


def _of_lines(data: bytes, ids: frozenset[str], vendor: Vendor) -> tuple[bytes, int]:
    end = LINE_ENDS[vendor.line_end]
    records = list(_records(data.decode(vendor.encoding), end))
    kept = [line for line, cells in records if not ids & set(cells)]
    return end.join(kept).encode(vendor.encoding), len(records) - len(kept)


def _records(text: str, line_end: str) -> Iterator[tuple[str, list[str]]]:
    """Every record as it stands and its cells; one may span lines."""
    lines = text.split(line_end)
    reader = csv.reader(line + "\n" for line in lines)
    start = 0
    for cells in reader:
        yield line_end.join(lines[start : reader.line_num]), cells
        start = reader.line_num


def _of_workbook(data: bytes, ids: frozenset[str], vendor: Vendor) -> tuple[bytes, int]:
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - seldom needed

    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    texts = [tuple(str(cell) for cell in row) for row in rows]
    header = texts.pop(0) if vendor.with_header else tuple(str(n) for n in range(len(texts[0]) if texts else 1))
    kept = [row for row in texts if not ids & set(row)]
    frame = pl.DataFrame(kept, dict.fromkeys(header, pl.String), orient="row")
    whole = vendor.model_copy(update={"bytes_per_part": None})
    made = next(workbook_parts(frame, whole), (b"", 0))
    return made[0], len(texts) - len(kept)


def _of_requests(data: bytes, ids: frozenset[str], request: Request) -> tuple[bytes, int]:
    bodies = [json.loads(line) for line in data.split(b"\n")]
    gone = [_of_request(body, ids, request) for body in bodies]
    kept = [body for body, _ in gone if body is not None]
    lines = (json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() for body in kept)
    return b"\n".join(lines), _people_gone(bodies, gone, request)


def _people_gone(bodies: list[dict[str, Any]], gone: list[Gone], request: Request) -> int:
    """How many people went; who has several requests is one."""
    if request.apart is None:
        return sum(count for _, count in gone)
    naming = next(field.name for field in request.fields if field.source == "contact")
    return len({_get(body, naming) for body, (kept, _) in zip(bodies, gone, strict=True) if kept is None})


def _of_request(body: dict[str, Any], ids: frozenset[str], request: Request) -> Gone:
    """The request without these people, None when nobody is left in it; and how many went."""
    naming = next(field for field in request.fields if field.source in {"contact", "row"})
    if naming.take == "shared":
        return (None, 1) if _get(body, naming.name) in ids else (body, 0)
    people = [str(entry).partition(",")[0] for entry in _entries(body, naming)]
    stays = [one not in ids for one in people]
    if not any(stays):
        return None, len(people)
    for field in request.fields:
        if field.take == "each":
            kept = [entry for entry, does_stay in zip(_entries(body, field), stays, strict=True) if does_stay]
            _set(body, field.name, kept if field.join is None else field.join.join(kept))
    return body, stays.count(False)


def _entries(body: dict[str, Any], field: RequestField) -> list[Any]:
    held = _get(body, field.name)
    return list(held) if field.join is None else str(held).split(field.join)


def _get(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = body[step]
    return body


def _set(body: dict[str, Any], path: str, value: Any) -> None:
    *objects, name = path.split(".")
    for step in objects:
        body = body[step]
    body[name] = value
