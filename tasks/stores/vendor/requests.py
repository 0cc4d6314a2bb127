"""Files of requests: JSON bodies as the vendor's API takes them, one per line (jsonl) or one per file (json).

People whose `shared` values differ stand in different requests: a template, and variables that the vendor takes
once per request, must be the same for everyone in it. Groups come in the order of their first person.

Where the rows tell of variants (`cells.told_of_variants`), each has the template of its own, and of the variables those
that are not null: the template's, in order of name. What is told beside goes out only where a field names it.
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
from tasks.stores.vendor.cells import CONTACT, told_of_variants, variables_in
from tasks.stores.vendor.limits import cuts

_FIRST: Final = "_first"
Row = tuple[Any, ...]
Value = Callable[[Row], Any]
Field = tuple[RequestField, Value | None]
"""A field with what a row gives to it; None where the run says it."""


class _Body(NamedTuple):
    """How the rows of one request become its JSON."""

    fields: tuple[Field, ...]
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
    grouped = _grouped(_with_template(cells, told), request)
    requests = _requests(grouped, vendor, request, body, bytes_most, told)
    if vendor.format == "json":
        yield from requests
        return
    yield from _lines_of_requests(list(requests), vendor, bytes_most)


def _with_template(cells: pl.DataFrame, told: Mapping[str, str]) -> pl.DataFrame:
    """The rows; one that tells of no variant (a seed) gets the send's template, and empty what all others have."""
    beside, own = told_of_variants(cells.columns), variables_in(cells.columns)
    if not beside:
        return cells
    template = pl.col(beside["template"])
    others = cells.filter(template.is_not_null()).select(own).null_count()
    of_all = [name for name in own if not others[name].item()]
    blank = pl.when(template.is_null()).then(pl.col(of_all).fill_null("")).otherwise(pl.col(of_all))
    return cells.with_columns(*([blank] if of_all else []), template.fill_null(told.get("template", "")))


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
    if bytes_most is None:
        yield from (rows[start : start + most] for start in range(0, len(rows), most))
        return
    told = {**told, "request_id": _request_id(told, 0)}
    base = _shared_base(rows, body, told)
    sizes = np.fromiter((len(body.of([row], told)) - base for row in rows), dtype=np.int64, count=len(rows))
    for span in cuts(sizes, rows_most=most, bytes_most=bytes_most, base=base, between=body.between()):
        yield rows[span]


def _shared_base(rows: list[Row], body: _Body, told: Mapping[str, str]) -> int:
    """Bytes of a request of this group around its people: what two have, less what each of them adds.

    Of one person alone all counts as theirs.
    """
    if len(rows) == 1:
        return 0
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
    beside = {kind: column for kind, column in told_of_variants(columns).items() if kind == "template"}
    for field in request.fields:
        kind, _, name = field.source.partition(":")
        if field.take == "shared":
            names |= {name} if kind in {"variable", "list"} else set()
            names |= set(variables_in(columns)) if kind in {"variables", "values"} else set()
            names |= {beside[kind]} if kind in beside else set()
    return sorted(names)


def _entry(field: RequestField, value: Value | None, rows: Sequence[Row], told: Mapping[str, str]) -> Any:
    if value is None:
        known: Any = told.get(field.source, "")
        return known if field.take == "shared" else [known for _ in rows]
    if field.take == "shared":
        return value(rows[0]) if rows else ""
    entries = [value(row) for row in rows]
    return entries if field.join is None else field.join.join(str(entry) for entry in entries)


def _value(field: RequestField, columns: Sequence[str]) -> Value | None:
    """What a row gives to a field; None where the run says it."""
    kind, _, name = field.source.partition(":")
    beside = told_of_variants(columns)
    if kind in {"signature", "send_id", "request_id"} or (kind == "template" and not beside):
        return None
    if kind in {"variables", "values", "row"}:
        return _message(kind, columns)
    if kind == "fixed":
        return lambda _: name
    place = columns.index(beside["template"] if kind == "template" else name or CONTACT)
    if kind == "list":
        return lambda row: [part.strip() for part in (row[place] or "").split(",") if part.strip()]
    return lambda row: row[place] or ""


def _message(kind: str, columns: Sequence[str]) -> Value:
    """All variables of a row's message in one: an object, a list, or a text with the contact before them."""
    said, contact = _said(columns), columns.index(CONTACT)
    match kind:
        case "variables":
            return lambda row: dict(said(row))
        case "values":
            return lambda row: [text for _, text in said(row)]
        case _:
            return lambda row: ",".join([row[contact], *(_apart(text) for _, text in said(row))])


def _said(columns: Sequence[str]) -> Callable[[Row], list[tuple[str, str]]]:
    """Name and text of the variables of a row's template, in order of name."""
    own = [(name, columns.index(name)) for name in variables_in(columns)]
    if told_of_variants(columns):
        return lambda row: [(name, row[at]) for name, at in own if row[at] is not None]
    return lambda row: [(name, row[at] or "") for name, at in own]


def _apart(text: str) -> str:
    """A value that no reader takes for two: the marks between values and people become full-width ones."""
    return text.replace(",", "，").replace(";", "；")


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *objects, name = path.split(".")
    for step in objects:
        body = body.setdefault(step, {})
    body[name] = value


def _request_id(told: Mapping[str, str], number: int) -> str:
    """32 hexadecimal digits, the same for the same request of the same revision."""
    return hashlib.sha256(f"{told.get('send_id', '')}\x1f{told.get('seq', '')}\x1f{number}".encode()).hexdigest()[:32]
