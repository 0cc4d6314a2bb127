"""Files of requests: JSON bodies as the vendor's API takes them, one per line (jsonl) or one per file (json).

People whose `shared` values differ stand in different requests: a template's variables that the vendor
takes once per request must be the same for everyone in it. Groups come in the order of their first person.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from tasks.errors import BadPolicyError
from tasks.policy.vendors import Request, RequestField, Vendor
from tasks.stores.vendor.cells import CONTACT, variables_in
from tasks.stores.vendor.limits import cuts

_FIRST: Final = "_first"
Row = tuple[Any, ...]
Value = Callable[[Row], Any]


class _Body(NamedTuple):
    """How the rows of one request become its JSON."""

    fields: tuple[tuple[RequestField, Value], ...]
    apart: tuple[int, ...] = ()
    """Places in a row of what may hold several values, the one that says how many first."""

    def of(self, rows: Sequence[Row], told: Mapping[str, str]) -> bytes:
        """The request as bytes; without rows, what it has around them."""
        body: dict[str, Any] = {}
        for field, value in self.fields:
            _put(body, field.name, _entry(field, value, rows, told))
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def between(self) -> int:
        """Bytes that stand between two people in all fields together."""
        each = (field for field, _ in self.fields if field.take == "each")
        return sum(1 if field.join is None else len(json.dumps(field.join, ensure_ascii=False).encode()) - 2
                   for field in each)  # fmt: skip


def request_parts(
    cells: pl.DataFrame, vendor: Vendor, request: Request, bytes_most: int | None, told: Mapping[str, str]
) -> Iterator[tuple[bytes, int]]:
    """Bytes and rows of one part after the other; a request is never cut in two."""
    fields = tuple((field, _value(field, cells.columns)) for field in request.fields)
    body = _Body(fields, _places_apart(request, cells.columns))
    grouped = _grouped(cells, request)
    requests = _requests(grouped, vendor, request, body, bytes_most, told)
    if vendor.format == "json":
        yield from requests
        return
    yield from _lines_of_requests(list(requests), vendor, bytes_most)


def _lines_of_requests(
    requests: list[tuple[bytes, int]], vendor: Vendor, bytes_most: int | None
) -> Iterator[tuple[bytes, int]]:
    sizes = np.array([len(body) for body, _ in requests], dtype=np.int64)
    people = np.array([count for _, count in requests], dtype=np.int64)
    for span in cuts(sizes, rows_most=len(requests), bytes_most=bytes_most, base=0, between=1):
        for start, stop in _within(people[span], vendor.rows_per_part, span.start):
            yield b"\n".join(body for body, _ in requests[start:stop]), int(people[start:stop].sum())


def _within(people: np.ndarray, most: int, offset: int) -> Iterator[tuple[int, int]]:
    """Runs of requests with no more people together than a part may hold; one request is never cut."""
    start, held = 0, 0
    for place, count in enumerate(people):
        if held and held + count > most:
            yield offset + start, offset + place
            start, held = place, 0
        held += int(count)
    yield offset + start, offset + len(people)


def _requests(
    grouped: list[list[Row]], vendor: Vendor, request: Request, body: _Body, bytes_most: int | None,
    told: Mapping[str, str],
) -> Iterator[tuple[bytes, int]]:  # fmt: skip
    """Each request with its number of people; of several for one person the first counts them."""
    most = min(request.most or vendor.rows_per_part, vendor.rows_per_part)
    number = 0
    for rows in grouped:
        for chunk in _chunks(rows, body, most, bytes_most, told):
            for place, part in enumerate(_each_apart(chunk, body.apart)):
                yield body.of(part, {**told, "request_id": _request_id(told, number)}), 0 if place else len(part)
                number += 1


def _places_apart(request: Request, columns: Sequence[str]) -> tuple[int, ...]:
    """Where the variable that takes a person's requests apart stands, and the lists that go with it."""
    if request.apart is None:
        return ()
    lists = [field.source.partition(":")[2] for field in request.fields if field.source.startswith("list:")]
    return tuple(columns.index(name) for name in (request.apart, *lists))


def _each_apart(rows: list[Row], places: tuple[int, ...]) -> Iterator[list[Row]]:
    """The rows as given; where they are taken apart the one row as often as its first place has values."""
    if not places:
        yield rows
        return
    (row,) = rows
    values = {place: (row[place] or "").split(";") for place in places}
    count = len(values[places[0]])
    if any(len(each) != count for each in values.values()):
        raise BadPolicyError(
            "a request is taken apart, and its lists have other numbers of parts",
            expected="variables of one kind: `contacts_to_tag` with `contact_tags_to_add` and `contact_tags_to_remove`",
            next_step="correct the variables of the campaign",
        )
    for nth in range(count):
        yield [tuple(values[place][nth] if place in values else cell for place, cell in enumerate(row))]


def _chunks(
    rows: list[Row], body: _Body, most: int, bytes_most: int | None, told: Mapping[str, str]
) -> Iterator[list[Row]]:
    """Rows of one group in requests that keep both limits."""
    if bytes_most is None or len(rows) == 1:
        yield from (rows[start : start + most] for start in range(0, len(rows), most))
        return
    told = {**told, "request_id": _request_id(told, 0)}
    base = _shared_base(rows, body, told)
    sizes = np.fromiter((len(body.of([row], told)) - base for row in rows), dtype=np.int64, count=len(rows))
    for span in cuts(sizes, rows_most=most, bytes_most=bytes_most, base=base, between=body.between()):
        yield rows[span]


def _shared_base(rows: list[Row], body: _Body, told: Mapping[str, str]) -> int:
    """Bytes of a request of this group around its people: what two have, less what each of them adds."""
    one, other = len(body.of(rows[:1], told)), len(body.of(rows[1:2], told))
    return one + other + body.between() - len(body.of(rows[:2], told))


def _grouped(cells: pl.DataFrame, request: Request) -> list[list[Row]]:
    """The rows, those of one request's shared values together."""
    keys = [] if request.most == 1 else _shared_columns(cells.columns, request)
    if not keys:
        return [cells.rows()]
    firsts = cells.with_row_index("_row").with_columns(pl.col("_row").min().over(keys).alias(_FIRST))
    ordered = firsts.sort(_FIRST, "_row")
    starts = [*ordered.select((pl.col(_FIRST).diff() != 0).fill_null(True).arg_true()).to_series(), cells.height]
    rows = ordered.select(cells.columns).rows()
    return [rows[start:stop] for start, stop in pairwise(starts)]


def _shared_columns(columns: Sequence[str], request: Request) -> list[str]:
    """The columns that everyone in a request must have the same value of."""
    names: set[str] = set()
    for field in request.fields:
        kind, _, name = field.source.partition(":")
        if field.take == "shared":
            names |= {name} if kind in {"variable", "list"} else set()
            names |= set(variables_in(columns)) if kind in {"variables", "values"} else set()
    return sorted(names)


def _entry(field: RequestField, value: Value, rows: Sequence[Row], told: Mapping[str, str]) -> Any:
    if field.source in {"signature", "template", "send_id", "request_id"}:
        known: Any = told.get(field.source, "")
        return known if field.take == "shared" else [known for _ in rows]
    if field.take == "shared":
        return value(rows[0]) if rows else ""
    entries = [value(row) for row in rows]
    return entries if field.join is None else field.join.join(str(entry) for entry in entries)


def _value(field: RequestField, columns: Sequence[str]) -> Value:
    """What a row gives to a field."""
    kind, _, name = field.source.partition(":")
    places = {column: place for place, column in enumerate(columns)}
    own = [(one, places[one]) for one in variables_in(columns)]
    match kind:
        case "contact" | "variable":
            place = places[name or CONTACT]
            return lambda row: row[place] or ""
        case "list":
            place = places[name]
            return lambda row: [part.strip() for part in (row[place] or "").split(",") if part.strip()]
        case "variables":
            return lambda row: {one: row[at] or "" for one, at in own}
        case "values":
            return lambda row: [row[at] or "" for _, at in own]
        case "row":
            return lambda row: ",".join([row[places[CONTACT]], *(_apart(row[at]) for _, at in own)])
        case _:
            return lambda _: name


def _apart(text: str | None) -> str:
    """A value that no reader takes for two: the marks between values and people become full-width ones."""
    return (text or "").replace(",", "，").replace(";", "；")


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *objects, name = path.split(".")
    for step in objects:
        body = body.setdefault(step, {})
    body[name] = value


def _request_id(told: Mapping[str, str], number: int) -> str:
    """32 hexadecimal digits, the same for the same request of the same revision."""
    return hashlib.sha256(f"{told.get('send_id', '')}\x1f{told.get('seq', '')}\x1f{number}".encode()).hexdigest()[:32]
